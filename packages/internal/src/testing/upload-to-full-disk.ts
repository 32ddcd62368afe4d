// For tests: a program that sends itself a file which is larger than the files that it may write. Its argument is the
// folder for uploads.

import { multipart } from "./multipart-body.ts";
import { request } from "./raw-client.ts";
import { serve } from "./serve.ts";

const [, , uploadsDir = ""] = process.argv;
await using server = await serve({
  handlets: [
    async (req, resp) => {
      await req.content.form();
      resp.send();
      return true;
    },
  ],
  webapp: { uploadsDir },
});
const content = multipart("x", [{ name: "f", fileName: "x", content: "x".repeat(200_000) }]);
const { status } = await server.ask(request("POST /", { "content-type": "multipart/form-data; boundary=x" }, content));
process.stdout.write([`status ${status}`, ...server.log].join("\n"));
