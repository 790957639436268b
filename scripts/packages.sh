# Debian 12 packages, sourced by the other scripts.
build_packages="ca-certificates g++ cmake ninja-build ccache pkg-config libboost1.81-dev libssl-dev libgit2-dev zlib1g-dev libyaml-dev libcli11-dev"
test_packages="lld doctest-dev python3 git openssl curl tinyproxy squid libtorch-dev python3-torch python3-numpy libxgboost-dev"
demo_packages="time openssl"
