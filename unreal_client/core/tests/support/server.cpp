#include "support/server.h"

#include <signal.h>

#include <cstdlib>
#include <filesystem>
#include <regex>
#include <stdexcept>
#include <utility>

namespace testing_support {

std::unique_ptr<Child> run_python(std::vector<std::string> arguments) {
  const std::string repository = std::filesystem::canonical(REPOSITORY).string();
  const char* chosen = std::getenv("LIVETALKER_PYTHON");
  arguments.insert(arguments.begin(), chosen != nullptr ? chosen : repository + "/.venv/bin/python");
  return std::make_unique<Child>(std::move(arguments), std::vector<std::pair<std::string, std::string>>{
                                                           {"PYTHONPATH", repository + "/service:" + repository + "/models"},
                                                           {"PYTHONUNBUFFERED", "1"}});
}

Server::Server(std::vector<std::string> options, int port) {
  std::vector<std::string> arguments = {"-m",     "livetalker.cli.main", "serve", "--port", std::to_string(port),
                                        "--grace", "0",                   "--threads", "1"};
  arguments.insert(arguments.end(), options.begin(), options.end());
  process_ = run_python(std::move(arguments));
  const std::string greeting = process_->read_line();
  std::smatch found;
  if (!std::regex_search(greeting, found, std::regex(" at [^ ]*:([0-9]+),"))) {
    throw std::runtime_error("the server did not start; it said: '" + greeting + "'. Is LIVETALKER_PYTHON, or the repository's .venv, a Python with its requirements?");
  }
  port_ = std::stoi(found[1]);
}

void Server::kill() { process_->end(SIGKILL); }

}  // namespace testing_support
