// A queue between two threads that neither allocates nor waits: one thread pushes, one other pops.
#pragma once

#include <atomic>
#include <cstddef>
#include <vector>

namespace livetalker {

template <typename Item>
class SpscRing {
 public:
  explicit SpscRing(std::size_t capacity) : items_(capacity) {}

  // False: it is full, and nothing was done.
  bool push(const Item& item) {
    const std::size_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_.load(std::memory_order_acquire) == items_.size()) return false;
    items_[tail % items_.size()] = item;
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }

  // The oldest item, to be read before `pop`; null: it is empty.
  const Item* front() const {
    const std::size_t head = head_.load(std::memory_order_relaxed);
    return head == tail_.load(std::memory_order_acquire) ? nullptr : &items_[head % items_.size()];
  }

  std::size_t capacity() const { return items_.size(); }

  // How many there are; already history when another thread reads it.
  std::size_t size() const {
    const std::size_t head = head_.load(std::memory_order_acquire);  // first: the tail is never behind it
    return tail_.load(std::memory_order_acquire) - head;
  }

  void pop() { head_.store(head_.load(std::memory_order_relaxed) + 1, std::memory_order_release); }

 private:
  std::vector<Item> items_;
  // Apart, so that the two threads do not fight over a cache line.
  alignas(64) std::atomic<std::size_t> head_{0};
  alignas(64) std::atomic<std::size_t> tail_{0};
};

}  // namespace livetalker
