// Sampling a face and reporting playback allocate nothing: operator new is counted.
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <new>
#include <vector>

#include "livetalker/livetalker.h"
#include "presentation.h"

namespace {

thread_local bool counting = false;
thread_local long allocations = 0;

void* counted(std::size_t size) {
  if (counting) ++allocations;
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

// Every form of them, or some memory would be taken by one allocator and given back to another.
void* operator new(std::size_t size) { return counted(size); }
void* operator new[](std::size_t size) { return counted(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return std::malloc(size == 0 ? 1 : size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return std::malloc(size == 0 ? 1 : size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { std::free(memory); }

namespace livetalker {
namespace {

template <typename Work>
long allocations_of(Work work) {
  allocations = 0;
  counting = true;
  work();
  counting = false;
  return allocations;
}

TEST(Allocation, TheCounterCounts) {
  std::vector<int>* made = nullptr;
  EXPECT_EQ(2, allocations_of([&] { made = new std::vector<int>(100); }));
  delete made;
}

TEST(Allocation, ShowingFramesAllocatesNothing) {
  Options options;
  Presentation presentation(options);
  presentation.start(60, 97000);
  FaceFrame frame;
  Face face{};
  long total = 0;
  for (int i = 0; i < 2000; ++i) {
    frame.index = i;
    frame.time_us = i * 1000000LL / 60;
    frame.weights.fill(0.5F + 0.5F * std::sin(static_cast<float>(i)));
    total += allocations_of([&] {
      presentation.push(frame);
      presentation.captured(i * 16000LL / 60);
      if (i % 500 == 499) presentation.interrupt(frame.time_us);
      presentation.sample(i / 60.0, face.data());
      presentation.sample(std::numeric_limits<double>::quiet_NaN(), face.data());
    });
  }
  EXPECT_EQ(0, total);
}

TEST(Allocation, TheInterfacesSampleAllocatesNothing) {
  livetalker_config config;
  livetalker_config_init(&config, sizeof(config));
  config.address = "127.0.0.1:1";  // nobody is there
  config.clock = LIVETALKER_CLOCK_PLAYBACK;
  livetalker_session* session = nullptr;
  ASSERT_EQ(LIVETALKER_OK, livetalker_open(&config, &session, nullptr, 0));
  float face[LIVETALKER_BLENDSHAPES];
  livetalker_sample_info info{};
  info.struct_size = sizeof(info);
  EXPECT_EQ(0, allocations_of([&] {
    for (int i = 0; i < 1000; ++i) {
      livetalker_report_playback(session, i / 60.0);
      livetalker_sample(session, std::numeric_limits<double>::quiet_NaN(), face, &info);
    }
  }));
  livetalker_close(session);
  livetalker_shutdown();
}

}  // namespace
}  // namespace livetalker
