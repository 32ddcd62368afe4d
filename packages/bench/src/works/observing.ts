// What it costs to see what the program does: counting, traces, scrapes, the web UI.

import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { chromium } from "playwright-core";
import { compare, median, type Comparison } from "../comparison.ts";
import { findProgram } from "../machine.ts";
import { startBackend, startServer, type ServerProcess } from "../server-process.ts";
import { hemi, node } from "../servers/commands.ts";
import { startProgram } from "../servers/program.ts";
import type { Result, Settings, Work } from "../work.ts";

export const counting: Work = {
  name: "13-byte answers, counted",
  needs: ["wrk"],
  async run(settings) {
    const command = hemi("counted.conf", "uncount-pack.ts");
    await using ours = await startServer(command);
    await using theirs = await startServer(command);
    const response = await fetch(`http://127.0.0.1:${theirs.port}/uncount`);
    if (!(await response.text()).includes("nothing is counted")) throw new Error("it still counts");
    return [toResult("Hemi, counting taken out", await compareAnswers(ours, theirs, settings), "0.98", "1.0")];
  },
};

export const tracing: Work = {
  name: "13-byte answers, 1 % of them traced to a collector",
  needs: ["wrk"],
  async run(settings) {
    await using collector = await startBackend(node("collector.ts"));
    const env = { COLLECTOR_PORT: String(collector.port) };
    await using ours = await startServer(hemi("traced.conf", "otel-pack.ts"), { env });
    await using theirs = await startServer(hemi("return-text.conf"));
    return [toResult("Hemi, without traces", await compareAnswers(ours, theirs, settings), "0.95", "0.98")];
  },
};

export const scraping: Work = {
  name: "scrape of 1,000 components by 2 workers",
  needs: [],
  async run() {
    await using program = await startProgram(manyComponents(), "--workers", "2", "--webui", "off");
    const url = `http://127.0.0.1:${program.port}`;
    // Each component has numbers to tell of, in both workers if the kernel spreads the connections.
    for (let i = 0; i < 2 * componentCount; i++) {
      const response = await fetch(`${url}/${i % componentCount}`, { headers: { connection: "close" } });
      await response.arrayBuffer();
    }
    // An idle worker collects the garbage of its start, once, which takes some 60 ms: that is no part of a scrape.
    await sleep(startTime);
    const loops = [0, 1].map((slot) => program.command("loop", "--worker", `${slot}`, "--for", "4s", "--json"));
    const times: number[] = [];
    let size = 0;
    for (let i = 0; i < 40; i++) {
      const began = performance.now();
      size = (await (await fetch(`${url}/metrics`)).arrayBuffer()).byteLength;
      times.push(performance.now() - began);
      await sleep(100);
    }
    const longest = Math.max(...(await Promise.all(loops)).map(longestDelay));
    const time = `${median(times).toFixed(1)} ms`;
    const stop = `${longest.toFixed(1)} ms`;
    const kilobytes = `${Math.round(size / 1000)} kB`;
    return [
      { against: "", ours: kilobytes, theirs: "", figure: time, atLeast: "50 ms", aim: "20 ms" },
      { against: "longest stop of a loop", ours: "", theirs: "", figure: stop, atLeast: "10 ms", aim: "" },
    ];
  },
};

export const firstView: Work = {
  name: "web UI, first view in Chromium",
  needs: ["chromium"],
  async run() {
    await using program = await startProgram(manyComponents(), "--workers", "1", "--webui", "127.0.0.1:0");
    const link = (await program.command("webui")).trim();
    const executablePath = findProgram("chromium") ?? "chromium";
    const args = [
      "--disable-gpu",
      "--no-proxy-server",
      "--disable-background-networking",
      "--disable-component-update",
    ];
    const browser = await chromium.launch({ executablePath, args, chromiumSandbox: false });
    const times: number[] = [];
    let bytes = 0;
    // The first one also starts the process of the web UI, and is not counted.
    for (let run = 0; run < 8; run++) {
      const context = await browser.newContext();
      const page = await context.newPage();
      const sizes: Promise<number>[] = [];
      page.on("requestfinished", (request) => {
        sizes.push(request.sizes().then((size) => size.responseBodySize + size.responseHeadersSize));
      });
      const began = performance.now();
      await page.goto(link, { waitUntil: "commit" });
      await page.getByText("Live ·").waitFor();
      if (run > 0) times.push(performance.now() - began);
      bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
      await context.close();
    }
    await browser.close();
    const time = `${Math.round(median(times))} ms`;
    return [
      { against: "", ours: "", theirs: "", figure: time, atLeast: "500 ms", aim: "250 ms" },
      {
        against: "bytes",
        ours: "",
        theirs: "",
        figure: `${Math.round(bytes / 1000)} KB`,
        atLeast: "150 KB",
        aim: "80 KB",
      },
    ];
  },
};

const componentCount = 1000;
/** In ms: two of the times at which a worker looks whether it is idle, and some more. */
const startTime = 12_000;

/** A thousand rules with names, each for a path of its own, and `/metrics`. */
function manyComponents(): string {
  const rules = Array.from(
    { length: componentCount },
    (_, i) => `rule "r${i}" $path == "/${i}" { .returnText = "${i}" }`,
  );
  const file = join(mkdtempSync(join(tmpdir(), "hemi-bench-")), "components.conf");
  writeFileSync(
    file,
    `stage {
    webapp "large" {
        .hostnames = ("*")
        rule $path == "/metrics" { metrics { .maxAge = 0s } }
        ${rules.join("\n        ")}
    }
    httpxServer "main" { .webapps = ("large") .address = "127.0.0.1:" + %env(PORT, "0") }
}
`,
  );
  return file;
}

/** In ms, of what `hemi loop --json` prints. */
function longestDelay(text: string): number {
  const measured: { readonly durations: { readonly delay: { readonly longest: number } } } = JSON.parse(text);
  return measured.durations.delay.longest;
}

async function compareAnswers(ours: ServerProcess, theirs: ServerProcess, settings: Settings): Promise<Comparison> {
  return await compare(ours, theirs, { ...settings, path: "/", theirPath: "/", isVaried: false });
}

function toResult(against: string, { ours, theirs, ratio, spread }: Comparison, atLeast: string, aim: string): Result {
  const figure = `${ratio.toFixed(2)} (${spread[0].toFixed(2)}–${spread[1].toFixed(2)})`;
  return { against, ours: `${Math.round(ours)}/s`, theirs: `${Math.round(theirs)}/s`, figure, atLeast, aim };
}
