#include "support/proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

namespace testing_support {
namespace {

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

// Pieces that are held before the sender is held back.
constexpr std::size_t kMostHeld = 4096;

}  // namespace

Proxy::Proxy(int server_port, Network network) : server_port_(server_port), network_(network) {
  listener_ = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof(address);
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener_, 16) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("no port for the proxy");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { run(); });
}

Proxy::~Proxy() {
  stop_ = true;
  thread_.join();
  close(listener_);
  for (const auto& pipe : pipes_) close(pipe->from);
}

void Proxy::run() {
  while (!stop_) {
    std::vector<pollfd> polled = {{listener_, POLLIN, 0}};
    for (const auto& pipe : pipes_) {
      const bool wanted = pipe->open && !paused_ && pipe->held.size() < kMostHeld;
      polled.push_back({wanted ? pipe->from : -1, POLLIN, 0});
    }
    poll(polled.data(), polled.size(), 1);
    for (std::size_t i = 1; i < polled.size(); ++i) {
      if (polled[i].revents != 0) receive(*pipes_[i - 1]);
    }
    for (const auto& pipe : pipes_) {
      if (!paused_) move(*pipe);
    }
    if (polled[0].revents != 0) accept_one();
  }
}

void Proxy::accept_one() {
  const int client = accept(listener_, nullptr, nullptr);
  const int server = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = loopback(server_port_);
  if (client < 0 || connect(server, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    close(client);
    close(server);
    return;
  }
  const int on = 1;
  setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  for (const bool up : {true, false}) {
    pipes_.push_back(std::make_unique<Pipe>());
    pipes_.back()->from = up ? client : server;
    pipes_.back()->to = up ? server : client;
    pipes_.back()->jitter_s = up ? network_.jitter_up_s : network_.jitter_down_s;
  }
}

void Proxy::receive(Pipe& pipe) {
  char buffer[4096];
  const ssize_t got = recv(pipe.from, buffer, sizeof(buffer), 0);
  if (got <= 0) {
    pipe.open = false;
    shutdown(pipe.to, SHUT_WR);
    return;
  }
  using Seconds = std::chrono::duration<double>;
  std::uniform_real_distribution<double> jitter(0.0, pipe.jitter_s);
  const auto now = Clock::now();
  auto due = now + std::chrono::duration_cast<Clock::duration>(Seconds(jitter(random_)));
  due = std::max(due, pipe.last_due);
  if (network_.rate > 0) {
    const double takes = static_cast<double>(got) / network_.rate;
    due = std::max(due, std::max(now, pipe.last_due) + std::chrono::duration_cast<Clock::duration>(Seconds(takes)));
  }
  pipe.last_due = due;
  pipe.held.push_back({due, std::string(buffer, static_cast<std::size_t>(got))});
}

void Proxy::move(Pipe& pipe) {
  const auto now = Clock::now();
  while (!pipe.held.empty() && pipe.held.front().due <= now) {
    const std::string& bytes = pipe.held.front().bytes;
    for (std::size_t sent = 0; sent < bytes.size();) {
      const ssize_t did = send(pipe.to, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (did <= 0) break;
      sent += static_cast<std::size_t>(did);
    }
    pipe.held.pop_front();
  }
}

}  // namespace testing_support
