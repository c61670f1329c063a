// Why a call ended, as one sentence for a person that says what to do, and whether it is worth trying again.
#pragma once

#include <grpcpp/support/status.h>

#include <string>

#include "options.h"

namespace livetalker {

struct Failure {
  livetalker_error error = LIVETALKER_ERROR_NONE;
  std::string message;
  // The service's reason, such as SERVER_FULL; empty where the transport failed.
  std::string reason;
  bool worth_retrying = false;
  // The server will not go on with the stream, but would have a new one.
  bool resume_refused = false;
  // When the server wants to be asked again; 0 where it did not say.
  double retry_after_s = 0;
};

// Explains the end of a call. `ever_connected`: an earlier call of the session was taken by the server.
Failure explain(const grpc::Status& status, const Options& options, bool ever_connected);

// A server that took the connection and then said nothing.
Failure silent_server(const Options& options, double waited_s);

}  // namespace livetalker
