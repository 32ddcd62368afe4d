import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { folderWith } from "./command.ts";

const bin = fileURLToPath(new URL("../bin/hemi.js", import.meta.url));

// The version of Node.js is the first thing that it asks for; it ends at one as old as this.
const preload = `
Object.defineProperty(process, "versions", { value: {
  get node() {
    process.stdout.write(process.listenerCount("SIGUSR1") + "\\n");
    return "1.0.0";
  },
} });
`;

test("SIGUSR1 opens no debugger, however early it comes", async () => {
  await using folder = await folderWith({ "preload.cjs": preload });
  const args = ["--require", join(folder.path, "preload.cjs"), bin, "version"];
  const ended = promisify(execFile)(process.execPath, args);
  await expect(ended).rejects.toMatchObject({
    code: 2,
    stdout: expect.stringMatching(/^1\n/) as string,
    stderr: expect.stringContaining("needs Node.js") as string,
  });
});
