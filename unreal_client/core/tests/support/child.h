// A child process whose standard output is read line by line, and which never outlives its owner.
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

namespace testing_support {

class Child {
 public:
  // Runs a program; `environment` is added to this process's.
  Child(std::vector<std::string> command, const std::vector<std::pair<std::string, std::string>>& environment = {});
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();

  // The next line of its output, without the end of line; empty once it has closed it.
  std::string read_line();
  // Sends a signal and waits for the end; the result is the exit status as `waitpid` tells it.
  int end(int signal);
  // Waits for the end.
  int wait();

 private:
  pid_t process_ = -1;
  int output_ = -1;
};

}  // namespace testing_support
