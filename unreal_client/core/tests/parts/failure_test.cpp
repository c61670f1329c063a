// What a session does about the end of a call: goes on, begins anew, or gives up.
#include "failure.h"

#include <gtest/gtest.h>

#include <string>

#include "error_details.pb.h"

namespace livetalker {
namespace {

Failure explained(grpc::StatusCode code, const std::string& reason) {
  details::ErrorInfo info;
  info.set_reason(reason);
  details::Status status;
  auto& packed = *status.add_details();
  packed.set_type_url("type.googleapis.com/google.rpc.ErrorInfo");
  packed.set_value(info.SerializeAsString());
  return explain(grpc::Status(code, "the server's own words", status.SerializeAsString()), Options(), true);
}

TEST(Failure, WhatTheStreamCannotGoOnWithBeginsANewOne) {
  for (const auto& [code, reason] : {std::pair{grpc::StatusCode::INVALID_ARGUMENT, "RESUME_INVALID"},
                                     std::pair{grpc::StatusCode::FAILED_PRECONDITION, "RESUME_MODEL_CHANGED"},
                                     std::pair{grpc::StatusCode::OUT_OF_RANGE, "GAP_TOO_LONG"}}) {
    const Failure failure = explained(code, reason);
    EXPECT_TRUE(failure.resume_refused) << reason;
    EXPECT_TRUE(failure.worth_retrying) << reason;
  }
}

TEST(Failure, AStoppingServerIsTriedAgainWithTheToken) {
  const Failure failure = explained(grpc::StatusCode::UNAVAILABLE, "SERVER_DRAINING");
  EXPECT_FALSE(failure.resume_refused);
  EXPECT_TRUE(failure.worth_retrying);
}

TEST(Failure, WhatWaitingDoesNotMendIsFinal) {
  for (const auto& [code, reason] : {std::pair{grpc::StatusCode::UNAUTHENTICATED, "TOKEN_UNKNOWN"},
                                     std::pair{grpc::StatusCode::INVALID_ARGUMENT, "CONFIG_INVALID"}}) {
    EXPECT_FALSE(explained(code, reason).worth_retrying) << reason;
  }
}

}  // namespace
}  // namespace livetalker
