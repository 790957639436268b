#pragma once

#include "cohub/awaitable.hpp"
#include "cohub/named.hpp"
#include "cohub/repository.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cohub {

namespace detail {
struct local_hub_state;
}

/// How many requests one user, or one address that sends no token, may make in a window
/// (hub-protocol, section 9.4). 0: any number.
struct local_hub_rate_limits {
  std::uint64_t api = 0;             ///< of /api/... and LFS
  std::uint64_t resolvers = 0;       ///< of files: /{repo}/resolve/... and what it leads to
  std::chrono::seconds window{300};  ///< all windows begin and end together
};

struct local_hub_config {
  std::filesystem::path root{};  ///< where repositories, objects and tokens live; made if missing
  std::string address = "127.0.0.1";  ///< to listen on
  std::uint16_t port = 0;             ///< of the API; 0: any free one
  std::uint16_t content_port = 0;     ///< of file contents; 0: any free one

  /// What clients are told to use (behind a proxy, say). Empty: the name or address by which the
  /// client itself has reached the API, as its Host header tells it.
  std::string public_endpoint{};
  std::string public_content_endpoint{};

  std::filesystem::path certificate_chain{};  ///< PEM; with `private_key`: both listeners speak TLS
  std::filesystem::path private_key{};        ///< PEM

  /// Larger files are large objects, whatever .gitattributes says, and so are those from a tenth of
  /// it on that are no text.
  std::uint64_t lfs_threshold = 10u << 20;
  /// Larger objects are taken in parts of so many bytes, from clients that can; 0: all come whole.
  std::uint64_t part_size = 512u << 20;
  std::chrono::seconds url_lifetime{3600};  ///< of the signed urls of large files
  /// Answer for small files with a redirect (307) to a path of the same listener that names the
  /// commit, as the public Hub does, and not with the file itself: one request more a file.
  bool resolve_cache = false;
  /// Set: answers tell what is left, and 429 when it is spent.
  std::optional<local_hub_rate_limits> rate_limits{};
  std::chrono::milliseconds idle_limit{60'000};  ///< a silent connection is closed after this
  /// For git, disk and digests; as many again for what changes repositories, which waits for others
  /// that do.
  std::size_t blocking_threads = 2;
};

/// An access token of the embedded Hub and what it may do.
struct local_hub_token {
  std::string token{};  ///< "hf_..."
  std::string owner{};  ///< user it belongs to
  std::string role{};   ///< "read", "write" or "admin"
};

/// What `local_hub::update_repo_settings` changes; unset members stay as they are.
struct local_hub_settings {
  repo_type type = repo_type::model;
  std::optional<bool> is_private{};  ///< only its owner knows that it exists
  /// "manual": its contents are for those whom the owner lets in; "auto": for whoever asks; "": for
  /// everybody.
  std::optional<std::string> gated{};
  std::optional<bool> disabled{};  ///< nobody gets anything of it, its owner neither
};

/// Misbehaviour on order, for the tests of programs that speak to a Hub: see `local_hub::inject`.
///
/// It befalls requests that match all of `method`, `path_part` and `where`; empty members match
/// all. What it does may be combined: a delayed 206 with a wrong range, a trickle that breaks off.
struct hub_fault {
  enum class listener { any, api, content };

  std::string method{};     ///< "GET", "PUT", ...
  std::string path_part{};  ///< occurs in the request's target, query included
  listener where = listener::any;
  std::size_t skip = 0;   ///< matching requests that pass unharmed first
  std::size_t times = 1;  ///< requests it befalls; 0: all that match
  /// Befall those alone that come while so many that match are being answered: a server that has
  /// room for no more. 0: whatever comes.
  std::size_t beyond_at_once = 0;

  std::chrono::milliseconds delay{};  ///< before the answer
  bool stall = false;                 ///< never answer; the connection stays open
  /// Answer with this status instead of doing what was asked; 0: do it.
  int status = 0;
  /// Headers of the answer, each in place of its own of that name: a `Content-Range` that lies, an
  /// `ETag` of other content, a `Link` to the same page again, a `Location` of another scheme.
  std::vector<std::pair<std::string, std::string>> headers{};
  /// Body of the answer. With `status` 0 the request is done as asked, and this takes the place of
  /// what it would have told: the other headers stay.
  std::string body{};
  /// Redirect (302, or `status`) to this address, of whatever host or scheme, as it is.
  std::string redirect_to{};
  /// Redirect to the path that was asked for, again and again.
  bool redirect_to_itself = false;
  /// Answer as if the request had no Range header: 200 and the whole content.
  bool ignore_range = false;

  /// Tell this length in place of the body's own. All of the body is sent, then the connection
  /// closed.
  std::optional<std::uint64_t> content_length{};
  /// Make the answer's head longer by so many bytes of headers that mean nothing.
  std::size_t head_padding = 0;

  /// Close the connection after so many bytes of the answer's body. The promised length stays.
  std::optional<std::uint64_t> drop_after_bytes{};
  /// Send no more after so many bytes of the answer's body, and keep the connection open.
  std::optional<std::uint64_t> stall_after_bytes{};
  /// Close the connection once so many bytes of the request's body have arrived.
  std::optional<std::uint64_t> drop_request_after_bytes{};
  /// Do what was asked, then close the connection without a word.
  bool lose_answer = false;
  /// Flip the bits of the byte at this offset of the answer's body.
  std::optional<std::uint64_t> corrupt_byte{};
  /// Flip the bits of the byte at this offset of the file, whatever range it is sent in. Requests
  /// that have no such byte in their answer (HEAD, other ranges, those from the end) do not match.
  std::optional<std::uint64_t> corrupt_file_byte{};
  /// Send the answer's body in pieces of so many bytes, with `trickle_interval` after each; 0: at
  /// once.
  std::size_t trickle_bytes = 0;
  std::chrono::milliseconds trickle_interval{};
};

/// One request that a Hub was sent.
struct hub_request {
  std::string method{};
  std::string target{};     ///< path and query, as sent, at most 2 KiB; signatures left out
  std::string range{};      ///< the Range header
  bool content = false;     ///< it came to the listener of file contents
  bool authorized = false;  ///< it bore an Authorization header
  int status = 0;           ///< of the answer; 0: none yet, or none at all
};

/// A Hub in this process: repositories are bare git repositories, large files lie in an object
/// store by their sha256, and everything acknowledged is on disk.
///
/// It listens on one address for the API and on a second for file contents, as the public Hub does,
/// and runs on the executor it is given; git and disk work go to its own pool.
/// @par Threads  one executor, one thing at a time, as for `client`
class local_hub {
 public:
  /// Opens or creates the store under `config.root`, and listens. Runs until `stop()` or
  /// destruction.
  /// @throws error  an address in use, an unwritable root, a root that another Hub has open, a key
  ///                that does not fit
  explicit local_hub(asio::any_io_executor executor, named<local_hub_config> config = {});
  local_hub(local_hub&&) noexcept;
  local_hub& operator=(local_hub&&) noexcept;
  ~local_hub();

  std::string endpoint() const;          ///< "http://127.0.0.1:41234": what `HF_ENDPOINT` is set to
  std::string content_endpoint() const;  ///< where large files are redirected to

  /// Makes a token, and its owner if new. Tokens survive a restart.
  /// @throws error  errc::invalid_argument: an owner or a role that cannot be
  local_hub_token create_token(std::string owner, std::string role = "write");
  /// All tokens, in the order they were made.
  std::vector<local_hub_token> tokens() const;
  /// Makes an organisation, or sets the members of one: each may write to its repositories.
  void set_organization(std::string name, std::vector<std::string> members);
  /// Adds a member to an organisation, which is made if new.
  void add_to_organization(std::string name, std::string user);

  /// Changes who may see a repository.
  /// @throws error  errc::repository_not_found, errc::invalid_argument
  /// @par Mirrors  update_repo_settings(); PUT /api/{type}/{repo}/settings
  void update_repo_settings(std::string repo_id, named<local_hub_settings> settings);
  /// Lets a user have the contents of a gated repository, or no longer.
  /// @throws error  errc::repository_not_found
  /// @par Mirrors  grant_access(); POST /api/{type}/{repo}/user-access-request/grant
  void grant_access(std::string repo_id, std::string user, repo_type type = repo_type::model);
  void revoke_access(std::string repo_id, std::string user, repo_type type = repo_type::model);

  /// Gives a repository another id; its old one redirects to it from now on.
  /// @throws error  errc::repository_not_found, errc::conflict: `to_id` exists,
  ///                errc::invalid_repository_id
  /// @par Mirrors  move_repo(); POST /api/repos/move
  void move_repo(std::string from_id, std::string to_id, repo_type type = repo_type::model);

  /// Lets no signed url given so far be good any more, uploads included; also after a restart.
  void expire_urls();
  /// Begins the next window of the rate limits now.
  void end_rate_limit_window();

  /// Makes requests to come fail on order. Of several faults that match a request, the one given
  /// first befalls it.
  void inject(hub_fault fault);
  /// Forgets all faults.
  void clear_faults();

  /// The last requests, at most 10,000, oldest first.
  std::vector<hub_request> requests() const;
  /// How many of them had `path_part` in their target, by that method if one is given.
  std::size_t count_requests(std::string_view path_part, std::string_view method = {}) const;
  /// Forgets the requests recorded so far.
  void clear_requests();
  /// The most connections that were open to the content listener at once.
  std::size_t peak_content_connections() const;

  /// Stops listening, lets the requests in flight end for at most `grace`, then closes what is
  /// left.
  awaitable<void> stop(std::chrono::milliseconds grace = std::chrono::seconds(5));

 private:
  std::shared_ptr<detail::local_hub_state> state_;
};

}  // namespace cohub
