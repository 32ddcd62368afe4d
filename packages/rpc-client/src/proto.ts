// The entry `@hemi/rpc-client/proto`: bundlets, messages and error details by protobuf descriptors, as protoc-gen-es 2
// generates them.

export {
  detailsOf,
  errorDetail,
  protoBundlet,
  protoMessage,
  type ProtoMessage,
  type ProtoOptions,
  type ProtoProcedures,
} from "@hemi/common/rpc-proto";
