#include "iris.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>

iris_data read_iris(const std::filesystem::path& csv) {
  std::ifstream stream(csv);
  if (!stream) throw std::runtime_error("cannot read " + csv.string());
  iris_data data;
  std::string line;
  std::getline(stream, line);  // names of the columns
  while (std::getline(stream, line)) {
    std::istringstream fields(line);
    iris_row row;
    char comma = 0;
    for (double& measure : row.measures) fields >> measure >> comma;
    std::string name;
    fields >> name;
    auto& names = data.species_names;
    const auto known = std::find(names.begin(), names.end(), name);
    row.species = static_cast<std::size_t>(known - names.begin());
    if (known == names.end()) names.push_back(name);
    data.rows.push_back(row);
  }
  return data;
}
