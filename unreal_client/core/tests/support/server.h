// The real Python server, started as a user starts it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "support/child.h"

namespace testing_support {

// Runs Python with the repository's packages. LIVETALKER_PYTHON names the interpreter; otherwise it is the repository's
// .venv.
std::unique_ptr<Child> run_python(std::vector<std::string> arguments);

class Server {
 public:
  // `livetalker serve` with further options, on a port of its own or on the given one. Throws if it does not start.
  explicit Server(std::vector<std::string> options = {}, int port = 0);

  int port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  // As when its machine is gone.
  void kill();

 private:
  std::unique_ptr<Child> process_;
  int port_ = 0;
};

}  // namespace testing_support
