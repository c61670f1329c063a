// Connections to a server: credentials, and the settings that a live stream needs.
#pragma once

#include <grpcpp/channel.h>

#include <memory>

#include "options.h"

namespace livetalker {

// A connection of its own, not made yet: gRPC connects when the first call begins.
std::shared_ptr<grpc::Channel> make_channel(const Options& options);

}  // namespace livetalker
