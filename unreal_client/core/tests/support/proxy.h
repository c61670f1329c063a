// A TCP relay that makes a network bad: delays that vary, a limited rate, pauses, a cut.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace testing_support {

class Proxy {
 public:
  struct Network {
    // Each piece that is received is held for a random time up to this; order is kept, as TCP does.
    double jitter_up_s = 0;
    double jitter_down_s = 0;
    // Bytes a second in each direction; 0: as many as come.
    double rate = 0;
  };

  Proxy(int server_port, Network network);
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;
  ~Proxy();

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  // While paused nothing passes, and nothing is lost.
  void pause(bool paused) { paused_ = paused; }

 private:
  using Clock = std::chrono::steady_clock;

  // One direction of a connection.
  struct Pipe {
    int from = -1;
    int to = -1;
    double jitter_s = 0;
    struct Piece {
      Clock::time_point due;
      std::string bytes;
    };
    std::deque<Piece> held;
    Clock::time_point last_due{};
    bool open = true;
  };

  void run();
  void accept_one();
  // Moves what is due; how long until there is more to do.
  void move(Pipe& pipe);
  void receive(Pipe& pipe);

  const int server_port_;
  const Network network_;
  int listener_ = -1;
  int port_ = 0;
  std::vector<std::unique_ptr<Pipe>> pipes_;
  std::minstd_rand random_{11};
  std::atomic<bool> paused_{false};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace testing_support
