// For tests of contribs: the configuration that a README shows.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { bootWith } from "../boot.ts";
import type { Pack } from "../component/pack.ts";
import { formatConfig } from "../config/format.ts";
import { openErrorLog } from "../log/error-log.ts";
import { MemorySink } from "../log/sink.ts";
import type { Stage } from "../stage.ts";

/**
 * Starts the first configuration of a README, with a free port for each of its addresses. Rejects if it does not start,
 * and if it is not laid out as `hemi fmt` does it.
 */
export async function readmeStage(readme: URL, contrib: Pack): Promise<Stage> {
  const [, config = ""] = /```\n(stage \{.*?)```/s.exec(await readFile(readme, "utf8")) ?? [];
  assert.deepEqual(formatConfig(config, "README.md"), { text: config, problems: [] });
  const text = config.replaceAll(/(\.address = "[^"]*:)\d+"/g, '$10"');
  const stage = await bootWith([contrib]).bootText(text, { log: openErrorLog({ sink: new MemorySink() }) });
  await stage.start();
  return stage;
}
