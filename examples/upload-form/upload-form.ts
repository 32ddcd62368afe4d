// Receives a form with files and lists them. Load it with `hemi serve --use upload-form.ts`.

import { createHash } from "node:crypto";
import { defineHandlet, HTTPError, Mapper, pack, type Request } from "@hemi/hemi";

interface ReceivedFile {
  readonly fileName: string;
  readonly storedAs: string;
  readonly mediaType: string;
  readonly size: number;
  readonly sha256: string;
}

const mapper = new Mapper().post("/photos", async (req) => {
  const form = await req.content.form();
  const title = form.get("title") ?? "";
  if (title === "") throw new HTTPError(400, "a photo needs a title");
  const files: ReceivedFile[] = [];
  for (const file of form.files) {
    const hash = createHash("sha256");
    for await (const piece of file.stream()) hash.update(piece);
    const { fileName, safeName, mediaType, size } = file;
    // To keep the file: await file.moveTo(join(folder, `${randomUUID()}-${safeName}`)). Files that are not moved are
    // removed after the response.
    files.push({ fileName, storedAs: safeName, mediaType, size, sha256: hash.digest("hex") });
  }
  return { title, tags: form.getAll("tag"), encoding: encodingOf(req), files };
});

function encodingOf(req: Request): string {
  return (req.header("content-type") ?? "").replace(/;.*/, "");
}

const photos = defineHandlet({ sign: "photos", create: () => mapper });

export default pack("example-upload-form", [photos]);
