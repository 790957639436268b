#include "cohub/torch_model_hub_mixin.hpp"

#include "integrations/torch_models.hpp"
#include "support/client_fixture.hpp"
#include "support/scripted_server.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

using namespace cohub;
using test::client_fixture;
using test::net_impl;
namespace fs = std::filesystem;

namespace {

/// No config, and small shards.
struct plain_impl : torch::nn::Module, torch_model_hub_mixin<plain_impl> {
  plain_impl() {
    first = register_parameter("first", torch::rand({4}));
    second = register_parameter("second", torch::rand({4}));
    third = register_parameter("third", torch::rand({4}));
  }
  static save_state_dict_options hub_save_options() {
    save_state_dict_options options;
    options.max_shard_size = 16;
    return options;
  }
  static model_info hub_info() {
    return model_info()
        .language("en", "zh")
        .library_name("plain")
        .license("apache-2.0")
        .pipeline_tag("text-classification")
        .tags("tag2")
        .repo_url("https://repo")
        .paper_url("https://paper")
        .docs_url("https://docs")
        .model_card_template(
            "---\n{{ card_data }}\n---\n{{ custom_data }}\n{{ repo_url }} "
            "{{ paper_url }} {{ docs_url }}\n");
  }
  torch::Tensor first, second, third;
};

/// Names its weights by itself.
struct variant_impl : torch::nn::Module, torch_model_hub_mixin<variant_impl> {
  variant_impl() { weight = register_parameter("weight", torch::rand({4})); }
  save_state_dict_options hub_save_options() const {
    save_state_dict_options options;
    options.filename_pattern = "model{suffix}.fp16.safetensors";
    options.max_shard_size = shard_size;
    return options;
  }
  torch::Tensor weight;
  int shard_size = 1000;
};

/// Wraps a module that is not its own.
struct wrapper_impl : torch::nn::Module, torch_model_hub_mixin<wrapper_impl> {
  wrapper_impl() : inner(std::make_shared<plain_impl>()) { register_module("module", inner); }
  const torch::nn::Module& hub_module() const { return *inner; }
  std::shared_ptr<plain_impl> inner;
};

struct torch_fixture : client_fixture {
  std::set<std::string> names(const fs::path& saved) {
    std::set<std::string> result;
    for (const auto& item : fs::directory_iterator(saved))
      result.insert(item.path().filename().string());
    return result;
  }
  std::string remote(const std::string& repo, const std::string& path) {
    return test::read_all(run(api->download_file(repo, path)));
  }
};

}  // namespace

TEST_CASE_FIXTURE(torch_fixture, "a module is pushed and comes back with its config (G28, V35)") {
  test::net_config small;
  small.hidden_size = 6;
  small.has_bias = false;
  net_impl net(small);
  const auto commit = run(net.push_to_hub(*api, "net"));
  CHECK(remote("alice/net", "config.json") == "{\n  \"has_bias\": false,\n  \"hidden_size\": 6\n}");
  const from_pretrained_options from{.revision = commit.oid};
  const auto loaded = run(net_impl::from_pretrained(*api, "alice/net", from));
  CHECK(loaded->config().hidden_size == 6);
  CHECK_FALSE(loaded->is_training());
  net.eval();
  CHECK(torch::equal(loaded->forward(test::sample()), net.forward(test::sample())));
}

TEST_CASE_FIXTURE(torch_fixture,
                  "what is saved is card and weights, and a config if there is (V28)") {
  const auto saved = folder.path() / "saved";
  const net_impl net;
  run(net.save_pretrained(*api, saved));
  CHECK(names(saved) == std::set<std::string>{"README.md", "config.json", "model.safetensors"});
  const wrapper_impl bare;
  run(bare.save_pretrained(*api, folder.path() / "bare"));
  CHECK(names(folder.path() / "bare") == std::set<std::string>{"README.md", "model.safetensors"});
}

TEST_CASE_FIXTURE(torch_fixture,
                  "tags are those of the class and of both mixins, sorted (V32, V33)") {
  const auto tags = [](const auto& model) { return model.generate_model_card().data(); };
  CHECK(*tags(net_impl()).find("tags") ==
        card_value(std::vector<std::string>{"model_hub_mixin", "pytorch_model_hub_mixin", "tag1",
                                            "tag2"}));
  const auto card = plain_impl().generate_model_card();
  CHECK(*card.data().find("tags") ==
        card_value(std::vector<std::string>{"model_hub_mixin", "pytorch_model_hub_mixin", "tag2"}));
  CHECK(*card.data().find("language") == card_value(std::vector<std::string>{"en", "zh"}));
  CHECK(card.data().text_or("pipeline_tag") == "text-classification");
}

TEST_CASE_FIXTURE(torch_fixture, "the card is the template, filled (V33, V34)") {
  const plain_impl model;
  const auto saved = folder.path() / "saved";
  save_pretrained_options options;
  options.model_card_variables["custom_data"] = "mine";
  run(model.save_pretrained(*api, saved, options));
  template_variables variables;
  variables["custom_data"] = "mine";
  const auto text = test::read_all(saved / "README.md");
  CHECK(text == model.generate_model_card(variables).content());
  CHECK(text.find("mine\nhttps://repo https://paper https://docs") != std::string::npos);
}

TEST_CASE_FIXTURE(torch_fixture, "shards are pushed and fetched, from the Hub and from a folder") {
  const plain_impl model;
  const auto commit = run(model.push_to_hub(*api, "alice/plain"));
  hub->clear_requests();
  const auto loaded = run(plain_impl::from_pretrained(*api, "alice/plain"));
  CHECK(torch::equal(loaded->third, model.third));
  CHECK(hub->count_requests("/alice/plain/resolve/main/config.json") >= 1);
  // What came after the index came from its commit.
  CHECK(hub->count_requests("/resolve/main/model-00001-of-00003.safetensors") == 0);
  CHECK(hub->count_requests("/resolve/" + commit.oid + "/model-00001-of-00003.safetensors") >= 1);

  const auto saved = folder.path() / "saved";
  run(model.save_pretrained(*api, saved));
  CHECK(names(saved).size() == 5);  // a card, an index and three shards
  CHECK(torch::equal(run(plain_impl::from_pretrained(*api, saved.string()))->first, model.first));
  const from_pretrained_options cached{.local_files_only = true};
  CHECK(torch::equal(run(plain_impl::from_pretrained(*api, "alice/plain", cached))->second,
                     model.second));

  fs::remove(saved / "model-00002-of-00003.safetensors");
  CHECK(failure_of(plain_impl::from_pretrained(*api, saved.string())).code() ==
        errc::entry_not_found);
  commit_operation_delete gone;
  gone.path_in_repo = "model-00002-of-00003.safetensors";
  run(api->create_commit("alice/plain", {gone}, "lose a shard"));
  CHECK(failure_of(plain_impl::from_pretrained(*api, "alice/plain")).code() ==
        errc::entry_not_found);
}

TEST_CASE_FIXTURE(torch_fixture, "a wrapped module is saved under its own names (G35)") {
  const wrapper_impl model;
  run(model.push_to_hub(*api, "alice/wrapped"));
  const auto loaded = run(wrapper_impl::from_pretrained(*api, "alice/wrapped"));
  CHECK(torch::equal(loaded->inner->second, model.inner->second));
  CHECK(torch::equal(run(plain_impl::from_pretrained(*api, "alice/wrapped"))->second,
                     model.inner->second));
}

TEST_CASE_FIXTURE(torch_fixture, "strict and map_location are told by extra options (G36)") {
  run(plain_impl().push_to_hub(*api, "alice/plain"));
  CHECK(failure_of(net_impl::from_pretrained(*api, "alice/plain")).code() ==
        errc::incompatible_weights);
  from_pretrained_options options;
  options.extra = {{"strict", false}, {"map_location", "cpu"}};
  const auto loaded = run(net_impl::from_pretrained(*api, "alice/plain", options));
  CHECK(loaded->is_training() == false);
  const auto& keys = loaded->hub_incompatible_keys();
  CHECK(keys.unexpected == std::vector<std::string>{"first", "second", "third"});
  CHECK(std::find(keys.missing.begin(), keys.missing.end(), "conv.weight") != keys.missing.end());
  CHECK(net_impl().hub_incompatible_keys().missing.empty());
  options.extra = {{"strikt", false}};
  const auto misspelt = failure_of(net_impl::from_pretrained(*api, "alice/plain", options));
  CHECK(misspelt.code() == errc::invalid_argument);
  CHECK(std::string(misspelt.what()).find("\"strikt\"") != std::string::npos);
  options.extra = {{"strict", "no"}};
  CHECK_THROWS_AS(run(net_impl::from_pretrained(*api, "alice/plain", options)), error);
  options.extra = {{"map_location", 1}};
  CHECK_THROWS_AS(run(net_impl::from_pretrained(*api, "alice/plain", options)), error);
}

TEST_CASE_FIXTURE(torch_fixture, "weights are asked for as told, and pickled ones refused (V30)") {
  put_file("alice/pickled", "config.json", "{}");
  CHECK(failure_of(net_impl::from_pretrained(*api, "alice/pickled")).code() ==
        errc::not_safetensors_repo);
  put_file("alice/pickled", "pytorch_model.bin", "\x80\x02}q");
  const auto failure = failure_of(net_impl::from_pretrained(*api, "alice/pickled"));
  CHECK(failure.code() == errc::not_safetensors_repo);
  CHECK(std::string(failure.what()).find("it has pytorch_model.bin, a pickle") !=
        std::string::npos);
  hub->clear_requests();
  const net_impl net;
  put_file("alice/no-config", "README.md", "weights alone");
  run(net.save_pretrained(*api, folder.path() / "net"));
  run(api->upload_file(folder.path() / "net" / "model.safetensors", "model.safetensors",
                       "alice/no-config"));
  const auto head = run(api->repo_info("alice/no-config")).sha;
  const auto loaded = run(net_impl::from_pretrained(*api, "alice/no-config"));
  CHECK(torch::equal(loaded->scale, net.scale));
  CHECK(hub->count_requests("/alice/no-config/resolve/" + head + "/model.safetensors", "HEAD") ==
        1);
}

TEST_CASE_FIXTURE(torch_fixture, "weights that a class names by itself are found by that name") {
  const variant_impl model;
  run(model.push_to_hub(*api, "alice/variant"));
  const auto loaded = run(variant_impl::from_pretrained(*api, "alice/variant"));
  CHECK(torch::equal(loaded->weight, model.weight));
  const auto saved = folder.path() / "saved";
  run(model.save_pretrained(*api, saved));
  CHECK(names(saved) == std::set<std::string>{"README.md", "model.fp16.safetensors"});
  CHECK(
      torch::equal(run(variant_impl::from_pretrained(*api, saved.string()))->weight, model.weight));
}

TEST_CASE_FIXTURE(torch_fixture, "a module that is owned by its holder outlives the holder") {
  auto model = std::make_shared<variant_impl>();
  const auto weight = model->weight;
  auto pushing = model->push_to_hub(*api, "alice/variant");
  model.reset();
  run(std::move(pushing));
  CHECK(torch::equal(run(variant_impl::from_pretrained(*api, "alice/variant"))->weight, weight));
}

TEST_CASE_FIXTURE(torch_fixture, "the Hub is told that torch asks (G5)") {
  test::scripted_server server(context, [](const test::seen_request&) {
    return test::scripted_reply::text(404, "", "X-Error-Code: RepoNotFound\r\n");
  });
  client_settings.endpoint = server.origin();
  client asking(context.get_executor(), client_settings);
  CHECK_THROWS_AS(run(net_impl::from_pretrained(asking, "alice/none")), error);
  CHECK_THROWS_AS(run(net_impl().push_to_hub(asking, "alice/none")), error);
  REQUIRE(server.seen().size() >= 2);
  for (const auto& request : server.seen())
    CHECK(request.header("user-agent").starts_with("torch/" TORCH_VERSION "; cohub/"));
}
