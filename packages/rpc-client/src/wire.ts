// For servers and transports: the parts of the protocols that both ends share. Programs do not need them.

export { fromBase64, toBase64, toBase64Url } from "./base64.ts";
export { wireNameOf } from "./bundlet.ts";
export { codeOfHttpStatus, codeOfNumber, httpStatusOf } from "./codes.ts";
export {
  endOfStreamFromJson,
  endOfStreamToJson,
  errorFromJson,
  errorToJson,
  parseJson,
  type ConnectErrorJson,
  type EndOfStream,
} from "./connect-error.ts";
export { compressedFlag, envelope, EnvelopeReader, tooLarge, type Envelope } from "./envelope.ts";
export { streamsIn, streamsOut } from "./procedure.ts";
