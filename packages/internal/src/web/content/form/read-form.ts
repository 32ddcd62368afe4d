// Reads a whole form: fields into memory, files into a folder.

import type { ExchanWire } from "../../../http/exchan.ts";
import { Form } from "./form.ts";
import type { FormPart } from "./form-part.ts";
import type { UploadedFile } from "./uploaded-file.ts";
import type { Uploads } from "./uploads.ts";

/** The files are removed when the exchan ends, unless they were moved; at once if `parts` throws. */
export async function readForm(parts: AsyncIterable<FormPart>, uploads: Uploads, wire: ExchanWire): Promise<Form> {
  const fields: [string, string][] = [];
  const files: UploadedFile[] = [];
  const drop = (): void => {
    for (const file of files) uploads.drop(file);
  };
  try {
    for await (const part of parts) {
      if (part.kind === "field") {
        fields.push([part.name, part.value]);
        continue;
      }
      const file = await uploads.keep(part);
      // Browsers send a field without a selected file like this.
      if (file.size === 0 && file.fileName === "") uploads.drop(file);
      else files.push(file);
    }
  } catch (error) {
    drop();
    throw error;
  }
  wire.onEnd(drop);
  return new Form(fields, files);
}
