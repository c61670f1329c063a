#include "channel.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

namespace livetalker {

std::shared_ptr<grpc::Channel> make_channel(const Options& options) {
  grpc::ChannelArguments arguments;
  // Every attempt connects anew, without the waits that gRPC remembers from the attempts before.
  arguments.SetInt("grpc.use_local_subchannel_pool", 1);
  // Or gRPC would read minutes of frames ahead of a caller that does not take them.
  arguments.SetInt("grpc.http2.bdp_probe", 0);
  arguments.SetInt("grpc.http2.lookahead_bytes", 65536);
  // Notice within half a minute that the server's machine is gone.
  arguments.SetInt("grpc.keepalive_time_ms", 20000);
  arguments.SetInt("grpc.keepalive_timeout_ms", 10000);
  arguments.SetUserAgentPrefix("livetalker-cpp");
  if (!options.tls_server_name.empty()) arguments.SetSslTargetNameOverride(options.tls_server_name);

  std::shared_ptr<grpc::ChannelCredentials> credentials;
  if (options.tls) {
    grpc::SslCredentialsOptions tls;
    tls.pem_root_certs = options.tls_roots;
    tls.pem_cert_chain = options.tls_certificate;
    tls.pem_private_key = options.tls_key;
    credentials = grpc::SslCredentials(tls);
  } else {
    credentials = grpc::InsecureChannelCredentials();
  }
  return grpc::CreateCustomChannel(options.address, credentials, arguments);
}

}  // namespace livetalker
