// A training loop that pushes its checkpoints in the background, and goes on from the last one
// after it was killed.
//
//   training_checkpoints           starts an embedded Hub, trains in a second process, kills it
//                                  (SIGKILL) half-way, and has a third one go on
//   training_checkpoints --train   the training itself, against HF_ENDPOINT with HF_TOKEN

#include "own_hub.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/describe/class.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <cohub/commit_scheduler.hpp>
#include <cohub/model_config.hpp>
#include <csignal>
#include <iostream>
#include <memory>
#include <optional>
#include <thread>

namespace asio = boost::asio;

namespace {

constexpr int steps = 2000;
constexpr int steps_a_checkpoint = 100;

/// All that training needs to go on.
struct checkpoint {
  int step = 0;
  double slope = 0;
  double offset = 0;
};
BOOST_DESCRIBE_STRUCT(checkpoint, (), (step, slope, offset))

/// One step of gradient descent towards y = 3 x - 1; the loss.
double train_step(checkpoint& at) {
  double slope = 0, offset = 0, loss = 0;
  for (int i = -5; i <= 5; ++i) {
    const double x = i / 5.0, difference = at.slope * x + at.offset - (3 * x - 1);
    slope += difference * x / 11;
    offset += difference / 11;
    loss += difference * difference / 11;
  }
  at.slope -= 0.02 * slope;
  at.offset -= 0.02 * offset;
  ++at.step;
  return loss;
}

std::vector<cohub::commit_operation> as_commit(const checkpoint& at) {
  cohub::commit_operation_add add;
  add.path_in_repo = "checkpoint.json";
  add.content = cohub::commit_operation_add::bytes{cohub::config_text(cohub::config_to_json(at))};
  std::vector<cohub::commit_operation> operations;
  operations.emplace_back(std::move(add));
  return operations;
}

cohub::awaitable<checkpoint> last_checkpoint(cohub::client hub, std::string repo) {
  const bool there = co_await hub.file_exists(repo, "checkpoint.json");
  if (!there) co_return checkpoint();
  const auto text = co_await hub.read_file(repo, "checkpoint.json");
  co_return cohub::config_from_json<checkpoint>(cohub::parse_config(text, "checkpoint.json"),
                                                "checkpoint.json");
}

/// Commits checkpoints on a thread of its own: steps may take as long as they like, and the uploads
/// go on beside them. The client and the scheduler belong to that thread.
class background_uploads {
 public:
  background_uploads() : busy_(context_.get_executor()), hub_(context_.get_executor()) {
    thread_ = std::jthread([this] { context_.run(); });
  }
  background_uploads(background_uploads&&) = delete;
  ~background_uploads() { context_.stop(); }

  /// Yields where the last run stood.
  checkpoint begin() {
    const auto repo = wait_for(hub_.get_full_repo_name("fit"));  // "me/fit"
    const auto at = wait_for(last_checkpoint(hub_, repo));
    asio::post(context_, asio::use_future([this, repo] { scheduler_.emplace(hub_, repo); })).get();
    return at;
  }
  /// Returns at once.
  void push(const checkpoint& at) {
    asio::post(context_,
               [this, at] { scheduler_->push(as_commit(at), "Step " + std::to_string(at.step)); });
  }
  /// Waits for the last of them.
  cohub::commit_info finish() { return wait_for(scheduler_->stop()); }

 private:
  template <class T>
  T wait_for(cohub::awaitable<T> operation) {
    return asio::co_spawn(context_, std::move(operation), asio::use_future).get();
  }

  asio::io_context context_;
  asio::executor_work_guard<asio::io_context::executor_type> busy_;
  cohub::client hub_;  // from the environment
  std::optional<cohub::commit_scheduler> scheduler_;
  std::jthread thread_;  // last: it ends before what it uses goes
};

void train() {
  background_uploads uploads;
  auto at = uploads.begin();
  std::cout << (at.step == 0 ? "Begins from nothing" : "Goes on from step ")
            << (at.step == 0 ? "" : std::to_string(at.step)) << std::endl;
  double loss = 0;
  while (at.step < steps) {
    loss = train_step(at);
    if (at.step % steps_a_checkpoint == 0) uploads.push(at);
    std::this_thread::sleep_for(std::chrono::microseconds(500));  // as a real step would take
  }
  const auto last = uploads.finish();
  std::cout << "Finished at step " << at.step << " with loss " << loss << "; the last commit is "
            << last.oid.substr(0, 8) << std::endl;
}

int run_training() {
  try {
    train();
    return 0;
  } catch (const std::exception& e) {
    std::cerr << "training: " << e.what() << std::endl;
    return 1;
  }
}

/// Runs this program again to train. It is killed once `until` commits are there; 0: not at all.
int run_again(const char* program, asio::io_context& context, const own_hub& hub,
              std::size_t until) {
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("no other process can be begun");
  if (child == 0) {
    ::setenv("HF_ENDPOINT", hub.endpoint().c_str(), 1);
    ::setenv("HF_TOKEN", hub.token().c_str(), 1);
    ::setenv("HF_HOME", (hub.folder() / "home").c_str(), 1);
    ::execl(program, program, "--train", nullptr);
    ::_exit(127);
  }
  // Shared with the question in flight, which may be answered after this function has returned.
  struct watched {
    std::size_t commits = 0;
    bool asking = false;
  };
  const auto seen = std::make_shared<watched>();
  for (int status = 0;;) {
    context.run_one_for(std::chrono::milliseconds(5));  // the Hub that the child talks to
    if (::waitpid(child, &status, WNOHANG) == child)
      return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    if (until == 0 || seen->asking) continue;
    if (seen->commits >= until) ::kill(child, SIGKILL);
    seen->asking = true;
    asio::co_spawn(context, hub.client().list_repo_commits("me/fit").all(),
                   [seen](std::exception_ptr failure, const auto& history) {
                     seen->asking = false;
                     if (!failure) seen->commits = history.size();
                   });
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc > 1 && std::string(argv[1]) == "--train") return run_training();
    asio::io_context context;
    own_hub hub(context.get_executor(), own_hub::which::always_here);
    const int killed = run_again(argv[0], context, hub, 6);
    std::cout << "The first run ended with status " << killed << std::endl;
    const int finished = run_again(argv[0], context, hub, 0);
    const bool survived = killed == -SIGKILL && finished == 0;
    std::cout << (survived ? "Training survived a kill." : "Training failed.") << std::endl;
    return survived ? 0 : 1;
  } catch (const std::exception& e) {
    std::cerr << "training_checkpoints: " << e.what() << std::endl;
    return 1;
  }
}
