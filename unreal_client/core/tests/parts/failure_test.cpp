// What a session does about the end of a call: goes on, begins anew, or gives up.
#include "failure.h"

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "error_details.pb.h"

namespace livetalker {
namespace {

Failure explained(const std::string& code, const std::string& reason) {
  static const std::map<std::string, grpc::StatusCode> kCodes = {
      {"CANCELLED", grpc::StatusCode::CANCELLED},
      {"UNKNOWN", grpc::StatusCode::UNKNOWN},
      {"INVALID_ARGUMENT", grpc::StatusCode::INVALID_ARGUMENT},
      {"DEADLINE_EXCEEDED", grpc::StatusCode::DEADLINE_EXCEEDED},
      {"NOT_FOUND", grpc::StatusCode::NOT_FOUND},
      {"ALREADY_EXISTS", grpc::StatusCode::ALREADY_EXISTS},
      {"PERMISSION_DENIED", grpc::StatusCode::PERMISSION_DENIED},
      {"RESOURCE_EXHAUSTED", grpc::StatusCode::RESOURCE_EXHAUSTED},
      {"FAILED_PRECONDITION", grpc::StatusCode::FAILED_PRECONDITION},
      {"ABORTED", grpc::StatusCode::ABORTED},
      {"OUT_OF_RANGE", grpc::StatusCode::OUT_OF_RANGE},
      {"UNIMPLEMENTED", grpc::StatusCode::UNIMPLEMENTED},
      {"INTERNAL", grpc::StatusCode::INTERNAL},
      {"UNAVAILABLE", grpc::StatusCode::UNAVAILABLE},
      {"DATA_LOSS", grpc::StatusCode::DATA_LOSS},
      {"UNAUTHENTICATED", grpc::StatusCode::UNAUTHENTICATED},
  };
  details::Status status;
  if (!reason.empty()) {
    details::ErrorInfo info;
    info.set_reason(reason);
    auto& packed = *status.add_details();
    packed.set_type_url("type.googleapis.com/google.rpc.ErrorInfo");
    packed.set_value(info.SerializeAsString());
  }
  return explain(grpc::Status(kCodes.at(code), "the server's own words", status.SerializeAsString()), Options(), true);
}

TEST(Failure, EveryEndOfACallIsAnsweredAsTheVectorThatAllClientsShareSays) {
  std::ifstream file(REPOSITORY "/tests/vectors/retries.json");
  std::ostringstream text;
  text << file.rdbuf();
  google::protobuf::Struct vector;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(text.str(), &vector).ok());
  const auto& rows = vector.fields().at("retries").list_value().values();
  ASSERT_GT(rows.size(), 20);
  for (const auto& row : rows) {
    const auto field = [&](const char* name) { return row.struct_value().fields().at(name).string_value(); };
    const Failure failure = explained(field("status"), field("reason"));
    const std::string then = failure.resume_refused ? "anew" : failure.worth_retrying ? "again" : "end";
    EXPECT_EQ(field("then"), then) << field("status") << " " << field("reason");
    EXPECT_FALSE(failure.message.empty());
  }
}

TEST(Failure, NoWaitingMendsTls) {
  const grpc::Status status(grpc::StatusCode::UNAVAILABLE, "failed to connect: SSL_ERROR_SSL: CERTIFICATE_VERIFY_FAILED");
  const Failure failure = explain(status, Options(), true);
  EXPECT_EQ(LIVETALKER_ERROR_TLS, failure.error);
  EXPECT_FALSE(failure.worth_retrying);
}

}  // namespace
}  // namespace livetalker
