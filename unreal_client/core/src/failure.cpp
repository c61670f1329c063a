#include "failure.h"

#include <algorithm>
#include <cctype>

#include "error_details.pb.h"

namespace livetalker {
namespace {

bool holds(const std::string& text, const char* part) {
  const auto same = [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); };
  const std::string wanted(part);
  return std::search(text.begin(), text.end(), wanted.begin(), wanted.end(), same) != text.end();
}

// gRPC nests causes, the innermost last: "failed to connect to all addresses; ...: Connection refused".
std::string innermost(const std::string& text) {
  const auto colon = text.rfind(": ");
  return colon == std::string::npos ? text : text.substr(colon + 2);
}

void read_details(const std::string& packed, Failure& failure, std::string& field) {
  details::Status status;
  if (packed.empty() || !status.ParseFromString(packed)) return;
  for (const auto& any : status.details()) {
    const std::string type = any.type_url().substr(any.type_url().rfind('/') + 1);
    details::ErrorInfo info;
    details::BadRequest request;
    details::RetryInfo retry;
    if (type == "google.rpc.ErrorInfo" && info.ParseFromString(any.value())) {
      failure.reason = info.reason();
    } else if (type == "google.rpc.BadRequest" && request.ParseFromString(any.value())) {
      if (request.field_violations_size() > 0) field = request.field_violations(0).field();
    } else if (type == "google.rpc.RetryInfo" && retry.ParseFromString(any.value())) {
      failure.retry_after_s =
          static_cast<double>(retry.retry_delay().seconds()) + 1e-9 * static_cast<double>(retry.retry_delay().nanos());
    }
  }
}

// A handshake that failed for a cause that trying again will not remove.
bool explain_tls(const std::string& text, const Options& options, Failure& failure) {
  const std::string where = " at " + options.address;
  if (holds(text, "WRONG_VERSION_NUMBER") || holds(text, "wrong version number")) {
    failure.message = "the server" + where + " does not speak TLS; turn TLS off, or start it with --tls-cert and --tls-key";
  } else if (holds(text, "CERTIFICATE_VERIFY_FAILED") || holds(text, "certificate verify failed")) {
    failure.message = "the certificate of the server" + where +
                      " is not trusted; give the PEM file of the authority that signed it as tls_ca_file";
  } else if (holds(text, "Hostname Verification Check failed") || holds(text, "is not in peer certificate")) {
    failure.message = "the certificate of the server" + where +
                      " is for another name; connect by the name it was made for, or set tls_server_name";
  } else if (holds(text, "certificate required") || holds(text, "bad certificate") || holds(text, "unknown ca")) {
    failure.message = "the server" + where +
                      " wants a client certificate it knows; give tls_certificate_file and tls_key_file";
  } else {
    return false;
  }
  failure.error = LIVETALKER_ERROR_TLS;
  return true;
}

// Whether the same call may succeed later without anybody changing anything; docs/clients.md has the table.
bool passes(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::ABORTED:
    case grpc::StatusCode::CANCELLED:
    case grpc::StatusCode::DATA_LOSS:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::INTERNAL:
    case grpc::StatusCode::UNKNOWN:
      return true;
    default:
      return false;
  }
}

void explain_reason(const grpc::Status& status, const Options& options, const std::string& field, Failure& failure) {
  const std::string& reason = failure.reason;
  failure.message = status.error_message();
  failure.worth_retrying = passes(status.error_code());
  if (!field.empty() && !holds(failure.message, field.c_str())) failure.message += " (" + field + ")";
  if (reason == "SERVER_FULL") {
    failure.error = LIVETALKER_ERROR_SERVER_FULL;
    failure.worth_retrying = true;
  } else if (reason == "SERVER_DRAINING" || reason == "SERVER_FAILED") {
    failure.error = LIVETALKER_ERROR_SERVER;
  } else if (reason == "CLIENT_TOO_SLOW" || reason == "CONFIG_TIMEOUT") {
    failure.error = LIVETALKER_ERROR_CLIENT;
  } else if (reason == "RESUME_INVALID" || reason == "RESUME_MODEL_CHANGED" || reason == "GAP_TOO_LONG") {
    // The last: the network took nothing for so long that the server will not fill the hole. A new stream has none.
    failure.error = LIVETALKER_ERROR_REFUSED;
    failure.resume_refused = true;
    failure.worth_retrying = true;
  } else if (reason == "TOKEN_REQUIRED" || reason == "TOKEN_UNKNOWN") {
    failure.error = LIVETALKER_ERROR_TOKEN;
    failure.message = "the server at " + options.address +
                      (options.token.empty() ? " wants a token; set it to one" : " does not know this token; set it to one") +
                      " of those in the server's --token-file";
  } else {
    failure.error = failure.worth_retrying ? LIVETALKER_ERROR_SERVER : LIVETALKER_ERROR_REFUSED;
  }
}

void explain_transport(const grpc::Status& status, const Options& options, bool ever_connected, Failure& failure) {
  const std::string& text = status.error_message();
  const std::string where = options.address;
  switch (status.error_code()) {
    case grpc::StatusCode::OK:
      failure.error = LIVETALKER_ERROR_SERVER;
      failure.worth_retrying = true;
      failure.message = "the server at " + where + " ended the stream unasked; opening a new one";
      return;
    case grpc::StatusCode::UNAUTHENTICATED:
    case grpc::StatusCode::PERMISSION_DENIED:
      failure.error = LIVETALKER_ERROR_TOKEN;
      failure.message = "the server at " + where + " lets nobody in without a token it knows (" + text + "); set the token";
      return;
    case grpc::StatusCode::UNIMPLEMENTED:
      failure.error = LIVETALKER_ERROR_VERSION;
      failure.message = "the server at " + where +
                        " does not know livetalker.v1; connect to a LiveTalker server of version 1, or update this plugin";
      return;
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      failure.error = LIVETALKER_ERROR_REFUSED;
      failure.message = "a message was too large for the server at " + where + ": " + text;
      return;
    default:
      break;
  }
  if (!passes(status.error_code())) {
    failure.error = LIVETALKER_ERROR_REFUSED;
    failure.message = "the server at " + where + " refuses the stream: " + text;
    return;
  }
  if (explain_tls(text, options, failure)) return;
  failure.error = LIVETALKER_ERROR_UNREACHABLE;
  failure.worth_retrying = true;
  if (ever_connected) {
    failure.message = "the connection to the LiveTalker server at " + where + " broke (" + innermost(text) + "); reconnecting";
    return;
  }
  failure.message = "no answer from a LiveTalker server at " + where + " (" + innermost(text) +
                    "); is `livetalker serve` running there?";
  // A server with TLS hangs up on a client without it, or without a certificate that it knows; there is no other sign.
  const bool hung_up = holds(text, "socket closed") || holds(text, "connection reset") || holds(text, "broken pipe");
  if (!hung_up) return;
  failure.message += !options.tls ? " If it has TLS, turn TLS on here too"
                                  : " If it wants client certificates, give tls_certificate_file and tls_key_file";
}

}  // namespace

Failure explain(const grpc::Status& status, const Options& options, bool ever_connected) {
  Failure failure;
  std::string field;
  read_details(status.error_details(), failure, field);
  if (failure.reason.empty()) {
    explain_transport(status, options, ever_connected, failure);
  } else {
    explain_reason(status, options, field, failure);
  }
  return failure;
}

Failure silent_server(const Options& options, double waited_s) {
  Failure failure;
  failure.error = LIVETALKER_ERROR_UNREACHABLE;
  failure.worth_retrying = true;
  failure.message = "no answer from a LiveTalker server at " + options.address + " in " +
                    std::to_string(static_cast<int>(waited_s)) + " s; check the address and firewalls";
  return failure;
}

}  // namespace livetalker
