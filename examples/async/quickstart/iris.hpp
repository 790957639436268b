#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

/// Fisher's iris data: four measures in cm of 150 flowers of three species.
struct iris_row {
  std::array<double, 4> measures{};
  std::size_t species = 0;  ///< index into `species_names`
};

struct iris_data {
  std::vector<std::string> species_names;
  std::vector<iris_row> rows;
};

iris_data read_iris(const std::filesystem::path& csv);
