#include "support/temporary_folder.hpp"
#include "unit/model/safetensors_text.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <complex>
#include <filesystem>
#include <vector>

using namespace cohub;
using test::file_of;

namespace {

const std::string two_tensors =
    file_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
            R"("b":{"dtype":"BF16","shape":[1,2],"data_offsets":[8,12]}})" +
                std::string(1, ' '),
            std::string("\0\0\x80\x3f\0\0\0\x40\1\2\3\4", 12));

}  // namespace

TEST_CASE("tensors of a file are read where they lie") {
  const test::temporary_folder folder;
  const auto path = folder.path() / "m.safetensors";
  test::write_all(path, two_tensors);
  const safetensors_file file(path);
  CHECK(file.size() == 2);
  const auto a = file.tensor("a");
  CHECK(a.as<float>()[0] == 1.0f);
  CHECK(a.as<float>()[1] == 2.0f);
  CHECK(a.as<float>().data() == static_cast<const void*>(file.find("a")->bytes().data()));
  const auto b = file[1];
  CHECK(b.name() == "b");
  CHECK(b.dtype() == tensor_dtype::bf16);
  CHECK(b.shape().size() == 2);
  CHECK(b.to_vector<std::uint16_t>() == std::vector<std::uint16_t>{0x0201, 0x0403});
  CHECK_FALSE(file.find("c"));
}

TEST_CASE("tensors are copied from the file, as long as it has them") {
  const test::temporary_folder folder;
  const auto path = folder.path() / "m.safetensors";
  test::write_all(path, two_tensors);
  const safetensors_file file(path);
  const auto b = file.tensor("b");
  std::vector<std::byte> room(4);
  b.copy_to(room);
  CHECK(std::ranges::equal(room, b.bytes()));
  std::vector<std::byte> larger(5);
  CHECK_THROWS_WITH_AS(b.copy_to(larger), doctest::Contains("\"b\" of 4 bytes into 5"), error);
  std::filesystem::resize_file(path, two_tensors.size() - 1);
  CHECK_THROWS_WITH_AS(b.copy_to(room), doctest::Contains("m.safetensors, which became shorter"),
                       error);
  CHECK(file.tensor("a").to_vector<float>() == std::vector<float>{1.0f, 2.0f});
}

TEST_CASE("reading a tensor as another type, or one that is not there, is an error that names it") {
  const test::temporary_folder folder;
  const auto path = folder.path() / "m.safetensors";
  test::write_all(path, two_tensors);
  const safetensors_file file(path);
  CHECK_THROWS_WITH_AS(file.tensor("a").as<double>(), doctest::Contains("\"a\" of dtype F32"),
                       error);
  CHECK_THROWS_WITH_AS(file.tensor("c"), doctest::Contains("m.safetensors"), error);
}

TEST_CASE("data that is not aligned is refused in place and copied on demand") {
  const test::temporary_folder folder;
  const auto path = folder.path() / "m.safetensors";
  std::string header = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  if (header.size() % 4 == 0) header += ' ';
  test::write_all(path, file_of(header, std::string("\0\0\x80\x3f", 4)));
  const safetensors_file file(path);
  CHECK_THROWS_WITH_AS(file.tensor("a").as<float>(), doctest::Contains("to_vector"), error);
  CHECK(file.tensor("a").to_vector<float>() == std::vector<float>{1.0f});
}

TEST_CASE("a mapping outlives its file and the object it was opened with") {
  const test::temporary_folder folder;
  const auto path = folder.path() / "m.safetensors";
  test::write_all(path, two_tensors);
  std::optional<safetensors_file> first(path);
  const safetensors_file second = *first;
  first.reset();
  std::filesystem::remove(path);
  CHECK(second.tensor("a").as<float>()[1] == 2.0f);
}

TEST_CASE("a file that is missing, empty or broken is an error that names it") {
  const test::temporary_folder folder;
  const auto path = folder.path() / "m.safetensors";
  try {
    const safetensors_file file(path);
    FAIL("opened");
  } catch (const error& failure) {
    CHECK(failure.code() == boost::system::errc::no_such_file_or_directory);
  }
  test::write_all(path, "");
  CHECK_THROWS_WITH_AS(safetensors_file{path}, doctest::Contains("m.safetensors: HeaderTooSmall"),
                       error);
  test::write_all(path, "PK\x03\x04 a pickle, not tensors");
  CHECK_THROWS_WITH_AS(safetensors_file{path}, doctest::Contains("HeaderTooLarge"), error);
}
