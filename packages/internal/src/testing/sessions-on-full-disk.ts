// For tests: a program whose sessions fill the disk, which then gets room again. Its argument is the folder. What the
// files may have is a limit of this process (`ulimit -S -f`), which is lifted in the middle.

import { execFileSync } from "node:child_process";
import { staterSite } from "./stater-site.ts";

const [, , folder = ""] = process.argv;
const site = await staterSite(
  `localStater "s" { .file = "${folder}/s.sqlite" .onDown = "readOnly" }`,
  async (req, resp) => {
    if (req.path === "/change") await req.session.set("text", "x".repeat(100));
    resp.send(String(await req.session.get("name")));
    return true;
  },
);
const name = [{ name: "name", json: '"Ann"' }];
const written = await site.stater.write(undefined, name);
const token = typeof written === "object" && "token" in written ? written.token : "";
const tell = async (path: string): Promise<void> => {
  const { status, text } = await site.get(path, `session=${token}`);
  process.stdout.write(`${path} ${status} ${text}\n`);
};
await tell("/read");
for (let i = 0; i < 1000; i++) {
  const answer = await site.get("/change", `session=${token}`);
  if (answer.status !== 200) break;
}
await tell("/change");
// That a session is in use is stored as well, after a while.
site.wait(7200);
await tell("/read");
execFileSync("prlimit", ["--pid", String(process.pid), "--fsize=unlimited"]);
await tell("/change");
await tell("/read");
await site[Symbol.asyncDispose]();
process.stdout.write(site.log.join("\n"));
