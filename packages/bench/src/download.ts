// How fast one large answer comes.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { loadCore, pinned } from "./machine.ts";

/** In MiB a second, by curl, on the core of the load. */
export async function download(port: number, path: string): Promise<number> {
  const url = `http://127.0.0.1:${port}${path}`;
  const format = "%{http_code} %{speed_download}";
  const [program, ...args] = pinned(loadCore, ["curl", "-sS", "-o", "/dev/null", "-w", format, url]);
  const { stdout } = await promisify(execFile)(program, args);
  const [status, rate] = stdout.split(" ");
  if (status !== "200") throw new Error(`the download was answered with ${status}`);
  return Number(rate) / 1024 / 1024;
}
