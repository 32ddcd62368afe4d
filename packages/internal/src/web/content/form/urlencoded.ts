// Parses an urlencoded form as the URL standard specifies (WHATWG URL 5.1).

import { ExchanError } from "../../../http/exchan-error.ts";
import type { FormLimits } from "./form-part.ts";

/**
 * `content` is that of the request, in UTF-8, whatever its content-type says. Throws HEMI_CONTENT_TOO_LARGE if a limit
 * is exceeded.
 */
export function readUrlencoded(
  content: Uint8Array,
  { maxFormFields, maxFormNameSize, maxFormValueSize }: FormLimits,
): [name: string, value: string][] {
  const text = Buffer.from(content.buffer, content.byteOffset, content.length).toString("utf8");
  let count = 0;
  for (let at = 0; at >= 0; at = text.indexOf("&", at + 1)) {
    if (++count > maxFormFields) throw tooLarge(`a form has more than the ${maxFormFields} fields of maxFormFields`);
  }
  // Without the ampersand, a leading question mark would be removed.
  const pairs = [...new URLSearchParams(`&${text}`)];
  for (const [name, value] of pairs) {
    if (Buffer.byteLength(name) > maxFormNameSize) {
      throw tooLarge(`the name of a field is larger than the ${maxFormNameSize} bytes of maxFormNameSize`);
    }
    if (Buffer.byteLength(value) > maxFormValueSize) {
      throw tooLarge(`the value of a field is larger than the ${maxFormValueSize} bytes of maxFormValueSize`);
    }
  }
  return pairs;
}

function tooLarge(message: string): ExchanError {
  return new ExchanError("HEMI_CONTENT_TOO_LARGE", message);
}
