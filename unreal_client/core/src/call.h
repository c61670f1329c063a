// One Animate call, from its first message to its status, on the session's thread.
#pragma once

#include <atomic>
#include <memory>

#include "completion.h"
#include "continuation.h"
#include "livetalker/v1/face_animation.grpc.pb.h"
#include "options.h"
#include "outbound.h"

namespace livetalker {

// Who receives what the server says. Both run on the session's thread.
class CallListener {
 public:
  virtual ~CallListener() = default;
  virtual void on_response(const v1::AnimateResponse& response) = 0;
  // Whether to read on; asked again and again while it is false.
  virtual bool wants_more() = 0;
};

class Call {
 public:
  // Longest wait for the server's first answer.
  static constexpr double kFirstAnswerSeconds = 10.0;
  // How often a listener that wants no more is asked again.
  static constexpr std::chrono::milliseconds kAskAgain{10};
  // How long a connection that is being made is waited for when it is not wanted any more.
  static constexpr std::chrono::milliseconds kLetConnect{250};

  Call(const Options& options, const Opening& opening, Outbound& outbound, CallListener& listener, Completion& completion);

  struct Result {
    grpc::Status status;
    // The server took the connection, and did not answer in time.
    bool silent = false;
    // All audio was sent and the call half-closed.
    bool half_closed = false;
  };

  // Runs the call to its end; `stop` cancels it at the next wake-up.
  Result run(const std::atomic<bool>& stop);

 private:
  Completion::Clock::time_point deadline(Completion::Clock::time_point answer_by) const;
  void on_completion(Tag tag, bool ok);
  void read_on();
  void send_on();
  void send(const v1::AnimateRequest& request);
  void finish();
  void cancel();
  void let_connect();

  const Options& options_;
  const Opening opening_;
  Outbound& outbound_;
  CallListener& listener_;
  Completion& completion_;

  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::FaceAnimationService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientAsyncReaderWriter<v1::AnimateRequest, v1::AnimateResponse>> stream_;
  v1::AnimateResponse response_;
  Outbound::Chunk chunk_;
  Result result_;

  int pending_ = 0;          // operations whose completion has not come yet
  bool begun_ = false;
  bool answered_ = false;    // the server's first message is here
  bool reading_ = false;
  bool writing_ = false;
  bool may_write_ = false;   // begun, and no write has failed
  bool cancelled_ = false;
  bool finishing_ = false;
  bool finished_ = false;
};

}  // namespace livetalker
