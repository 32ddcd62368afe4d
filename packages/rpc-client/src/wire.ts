// The entry `@hemi/rpc-client/wire`, for transports: the parts of the protocols that both ends share. Programs do not
// need them.

export {
  codeOfHttpStatus,
  codeOfNumber,
  compressedFlag,
  endOfStreamFromJson,
  endOfStreamToJson,
  envelope,
  EnvelopeReader,
  errorFromJson,
  errorToJson,
  fromBase64,
  httpStatusOf,
  parseJson,
  streamsIn,
  streamsOut,
  toBase64,
  toBase64Url,
  tooLarge,
  wireNameOf,
  type ConnectErrorJson,
  type EndOfStream,
  type Envelope,
} from "@hemi/common/rpc";
