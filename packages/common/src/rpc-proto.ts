// The entry `@hemi/common/rpc-proto`: bundlets, messages and error details by protobuf descriptors. Whoever uses it has
// `@bufbuild/protobuf`, which is an optional peer dependency.

export { protoFieldSchema, protoJsonSchema } from "./rpc/proto-json-schema.ts";
export {
  describedBundlet,
  detailsOf,
  errorDetail,
  protoBundlet,
  protoMessage,
  type ProtoMessage,
  type ProtoOptions,
  type ProtoProcedures,
} from "./rpc/proto.ts";
