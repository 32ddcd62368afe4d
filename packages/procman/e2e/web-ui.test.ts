// The web UI as its protocol: who is let in, what is shown, and what it does with clients that are wrong or slow.

import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { get, request, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import { connect, createServer } from "node:net";
import { text } from "node:stream/consumers";
import { readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { folderWith, run, start } from "./command.ts";
import { serve, serveWith } from "./program.ts";

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const patiently = { timeout: 40_000 };

const config = (text: string, more = "") => `stage {
    webapp "<b>shop" {
        .hostnames = ("*")
        rule "hello" $path == "/hello" { .returnText = "${text}" }
        rule "private" $path == "/private" { basicAuth { .users = ["ann": "$apr1$abcdefgh$bw9gEObk10asetVLiysIZ0"] } static { .webRoot = "." } }
        ${more}
    }
    httpxServer "main" { .webapps = ("<b>shop") .address = "127.0.0.1:0" }
}
`;

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}

/** What the web UI gives its pages, as far as it is looked at here. */
interface Shown {
  readonly total: number;
  readonly components: readonly { readonly path: string }[];
  readonly props: readonly unknown[];
  readonly files: readonly { readonly text: string }[];
  readonly audit: readonly unknown[];
  readonly log: readonly { readonly text: string }[];
}

interface Candidate {
  readonly problems: readonly { readonly place: { readonly line: number; readonly file: string } }[];
  readonly plan?: { readonly plan: { readonly changes: readonly { readonly path: string }[] } };
}

/** A client of a web UI that may send what no browser would. */
async function clientOf(link: string) {
  const { origin, port, hash } = new URL(link);
  const token = hash.replace("#token=", "");

  async function ask(path: string, headers: OutgoingHttpHeaders = {}, content?: unknown): Promise<Answer> {
    const method = content === undefined ? "GET" : "POST";
    const sent = request({ host: "127.0.0.1", port, path, method, agent: false, headers });
    sent.end(content === undefined ? undefined : JSON.stringify(content));
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    return { status: response.statusCode ?? 0, headers: response.headers, text: await text(response) };
  }

  const json = { origin, "content-type": "application/json" };
  const signIn = async (given = token): Promise<Answer> => await ask("/api/session", json, { token: given });
  const { headers } = await signIn();
  const cookie = headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
  const post = async (path: string, params: object) => await ask(`/api/${path}`, { ...json, cookie }, params);
  return {
    link,
    origin,
    port: Number(port),
    cookie,
    json,
    ask,
    signIn,
    post,
    /** With the session. */
    get: async (path: string): Promise<Shown> => {
      const shown: Shown = JSON.parse((await ask(`/api/${path}`, { cookie })).text);
      return shown;
    },
    act: async (name: string, params: object = {}) => await post(`act/${name}`, params),
  };
}

/** A program with its web UI, and a client of that. */
async function programWithUI(more = "") {
  const folder = await folderWith({ "hemi.conf": config("one", more) });
  const program = await serve(folder.path, "--webui", "127.0.0.1:0", "--stall", "60s");
  const { link = "" } = (await program.call("webUI")) ?? {};
  return {
    ...(await clientOf(link)),
    folder: folder.path,
    program,
    async [Symbol.asyncDispose]() {
      await program[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

let ui: Awaited<ReturnType<typeof programWithUI>>;

beforeAll(async () => {
  ui = await programWithUI();
});

afterAll(async () => {
  await ui[Symbol.asyncDispose]();
});

test("the link opens a session that scripts and other sites do not get, and nothing else does", async () => {
  expect(ui.link).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#token=[\w-]{43}$/);
  expect((await run(["webui"], { cwd: ui.folder })).stdout).toBe(`${ui.link}\n`);
  const opened = await ui.signIn();
  expect(opened.status).toBe(200);
  expect(opened.headers["set-cookie"]?.[0]).toMatch(/; HttpOnly; SameSite=Strict$/);
  expect((await ui.ask("/api/session", { cookie: ui.cookie })).status).toBe(200);

  for (const wrong of ["", "x".repeat(43), `${new URL(ui.link).hash.slice(7)}x`]) {
    expect((await ui.signIn(wrong)).status).toBe(401);
  }
  expect((await ui.ask("/api/session", ui.json, { token: 7 })).status).toBe(401);
  const [name, token = ""] = ui.cookie.split("=");
  const another = `${token.startsWith("0") ? "1" : "0"}${token.slice(1)}`;
  for (const cookie of ["", ui.cookie.slice(0, -1), `${name}=${another}`, `${name}=..`]) {
    for (const path of ["/api/events", "/api/config", "/api/components", "/api/session"]) {
      expect((await ui.ask(path, { cookie })).status).toBe(401);
    }
  }
  expect((await ui.ask("/api/act/rework", ui.json, {})).status).toBe(401);
});

test("a session of a program that was started anew since is over", async () => {
  await using before = await programWithUI();
  await before.program.end();
  const program = await serve(before.folder, "--webui", `127.0.0.1:${before.port}`);
  await using _ = program;
  expect((await before.ask("/api/session", { cookie: before.cookie })).status).toBe(401);
  expect((await before.signIn()).status).toBe(401);
});

test("requests that another site has made the browser send are refused", async () => {
  const { cookie, json } = ui;
  // DNS rebinding: the name of the attacker leads to this address.
  expect((await ui.ask("/", { host: "evil.example" })).status).toBe(421);
  expect((await ui.ask("/api/config", { cookie, host: `evil.example:${ui.port}` })).status).toBe(421);
  // A tunnel may have another port at its other end.
  expect((await ui.ask("/api/session", { cookie, host: "localhost:19528" })).status).toBe(200);
  for (const origin of ["http://evil.example", "null", "http://127.0.0.1:3080", `https://127.0.0.1:${ui.port}`]) {
    expect((await ui.ask("/api/config", { cookie, origin })).status).toBe(403);
    expect((await ui.ask("/api/act/rework", { ...json, cookie, origin }, {})).status).toBe(403);
  }
  expect((await ui.ask("/api/act/rework", { cookie, "content-type": "application/json" }, {})).status).toBe(403);
  expect(
    (await ui.ask("/api/act/rework", { cookie, origin: ui.origin, "content-type": "text/plain" }, {})).status,
  ).toBe(415);
  for (const site of ["cross-site", "same-site"]) {
    expect((await ui.ask("/api/config", { cookie, "sec-fetch-site": site })).status).toBe(403);
    const link = { "sec-fetch-site": site, "sec-fetch-mode": "navigate" };
    expect((await ui.ask("/", link)).status).toBe(200);
    expect((await ui.ask("/api/config", { cookie, ...link })).status).toBe(403);
  }
});

test("pages run only what the program itself serves, in no frame of others", async () => {
  const page = await ui.ask("/");
  expect(page.headers).toMatchObject({ "x-frame-options": "DENY", "x-content-type-options": "nosniff" });
  const policy = String(page.headers["content-security-policy"]);
  expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toContain("unsafe");
  // Nothing in the page that the policy would refuse, and no other host.
  expect(page.text).not.toMatch(/<script>|style="|onclick|https?:\/\//);
  expect((await ui.ask("/../../package.json")).status).toBe(400);
  expect((await ui.ask("/none")).status).toBe(404);
});

test("components are shown in pages, with their props and places, and without secrets", async () => {
  const many = Array.from({ length: 10_000 }, (_, i) => `rule "r${i}" $path == "/r${i}" { .returnText = "${i}" }`);
  await using ui = await programWithUI(many.join("\n"));
  const page = await ui.get("components?box=rules&from=9990&count=50&filter=rule");
  expect(page.total).toBe(10_004);
  expect(page.components.at(-1)).toMatchObject({
    kind: "rule",
    name: "r9999",
    place: expect.stringMatching(/hemi\.conf:/),
  });
  expect((await ui.get("components?filter=R9999")).total).toBe(1);
  const path = page.components.at(-1)?.path ?? "";
  const found = await ui.get(`component?path=${encodeURIComponent(path)}`);
  expect(found.props).toContainEqual({ name: "returnText", value: '"9999"', place: expect.any(String) });
  const [auth] = (await ui.get("components?filter=basicAuth")).components;
  const { props } = await ui.get(`component?path=${encodeURIComponent(auth?.path ?? "")}`);
  expect(JSON.stringify(props)).not.toContain("$apr1$");
  const files = await ui.get("config");
  expect(files.files[0]?.text).toContain('basicAuth { .users = ["ann": "•••"] }');
  expect(JSON.stringify(files)).not.toContain("$apr1$");
  expect((await ui.ask("/api/component?path=none", { cookie: ui.cookie })).status).toBe(404);
});

test("a candidate is checked without a change, and its mistakes have their lines", async () => {
  const ask = async (text?: string): Promise<Candidate> => {
    const params = text === undefined ? {} : { text };
    const answer: Candidate = JSON.parse(
      (await ui.ask("/api/candidate", { ...ui.json, cookie: ui.cookie }, params)).text,
    );
    return answer;
  };
  const wrong = await ask(config("two").replace(".returnText", ".returnTxt").replace(".hostnames", ".hostname"));
  expect(wrong.problems.map(({ place }) => [place.line, place.file])).toEqual([
    [2, "hemi.conf"],
    [3, "hemi.conf"],
    [4, "hemi.conf"],
  ]);
  expect(wrong.plan).toBeUndefined();
  const right = await ask(config("two"));
  expect(right.problems).toEqual([]);
  expect(right.plan?.plan.changes.map(({ path }) => path)).toContain("webapp.<b>shop/rule.hello");
  expect((await ask()).plan?.plan.changes).toEqual([]);
  expect(await (await fetch(`http://127.0.0.1:${ui.program.port}/hello`)).text()).toBe("one");
});

test("a reload and a rework are done, refused with the reason, and noted with who did them", async () => {
  await writeFile(join(ui.folder, "hemi.conf"), config("two"));
  expect((await ui.act("reload")).status).toBe(200);
  expect(await (await fetch(`http://127.0.0.1:${ui.program.port}/hello`)).text()).toBe("two");
  await writeFile(join(ui.folder, "hemi.conf"), "stage {");
  const refused = await ui.act("reload");
  expect(refused.status).toBe(422);
  expect(JSON.parse(refused.text).error).toContain("hemi.conf:1:");
  const pidOf = async (slot: number) =>
    (await ui.program.call("workers")).find((worker) => worker.slot === slot && worker.state === "ready")?.pid;
  const before = [await pidOf(0), await pidOf(1)];
  expect((await ui.act("rework", { slot: 1 })).status).toBe(200);
  expect(await pidOf(0)).toBe(before[0]);
  expect(await pidOf(1)).not.toBe(before[1]);
  expect((await ui.act("rework", { slot: 7 })).text).toContain("there is no slot 7");
  for (const name of ["stop", "quit", "profile", "constructor"]) expect((await ui.act(name)).status).toBe(422);
  const { audit, log } = await ui.get("entries");
  expect(audit.slice(0, 4)).toMatchObject([
    { what: "reload {}", by: expect.stringMatching(/^browser [\da-f]{8} from 127\.0\.0\.1$/) },
    { what: "reload {}", failure: expect.stringContaining("hemi.conf:1:") },
    { what: 'rework {"slot":1}' },
    { what: 'rework {"slot":7}', failure: expect.stringContaining("slot 7") },
  ]);
  expect(log.map(({ text }) => text).join("\n")).toContain("was told to act");
  await ui.program.command.line(/was told to act by="browser [\da-f]{8} from 127\.0\.0\.1" what="reload/);
});

/** The live figures, as a tab gets them. */
async function eventsOf({
  port,
  cookie,
}: {
  readonly port: number;
  readonly cookie: string;
}): Promise<IncomingMessage> {
  const asked = get({ host: "127.0.0.1", port, path: "/api/events", agent: false, headers: { cookie } });
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  return response;
}

test("a hundred open tabs are served, one more is refused, and one that never reads holds no memory", async () => {
  const open = async (): Promise<IncomingMessage> => await eventsOf(ui);
  // Its buffers fill up, and then it is sent nothing until it reads.
  const slow = connect(ui.port, "127.0.0.1");
  slow.write(`GET /api/events HTTP/1.1\r\nhost: 127.0.0.1:${ui.port}\r\ncookie: ${ui.cookie}\r\n\r\n`);
  slow.pause();
  const tabs = await Promise.all(Array.from({ length: 99 }, open));
  expect(tabs.map(({ statusCode }) => statusCode)).toEqual(tabs.map(() => 200));
  expect((await open()).statusCode).toBe(503);
  const [data] = (await once(tabs[0]!.setEncoding("utf8"), "data")) as [string];
  expect(data).toMatch(/^data: \{"time":/);
  for (const tab of tabs) tab.destroy();
  slow.destroy();
  await expect
    .poll(async () => {
      const again = await open();
      again.destroy();
      return again.statusCode;
    }, patiently)
    .toBe(200);
});

test("the pages show the program although one of its workers stands still", { timeout: 60_000 }, async () => {
  // Not one that a rework has replaced and that still drains.
  const ready = (await ui.program.call("workers")).filter(({ state }) => state === "ready");
  const pid = ready.at(-1)?.pid ?? 0;
  expect(pid).toBeGreaterThan(0);
  process.kill(pid, "SIGSTOP");
  try {
    const response = await eventsOf(ui);
    let shown = "";
    for await (const piece of response.setEncoding("utf8")) {
      shown += String(piece);
      // It does not say how much memory it has.
      if (new RegExp(`"pid":${pid},"state":"ready"[^}]*"rss":null`).test(shown)) break;
    }
    const steered = await ui.act("logLevel", { level: "warn", period: 1000 });
    expect(steered.status).toBe(200);
  } finally {
    process.kill(pid, "SIGCONT");
  }
});

test("who has no session cannot fill the memory: a sign-in with much content is not read", async () => {
  const much = { token: "x".repeat(2_000_000) };
  expect((await ui.ask("/api/session", ui.json, much)).status).toBe(413);
  expect((await ui.ask("/api/session", { ...ui.json, "transfer-encoding": "chunked" }, much)).status).toBe(413);
});

test("the process of the web UI that was killed is started for the next visitor", async () => {
  const leader = ui.program.command.child.pid ?? 0;
  const stdout = execFileSync("ps", ["--ppid", String(leader), "-o", "pid=,args="]).toString();
  const [, pid] = /^\s*(\d+) .*web UI/m.exec(stdout) ?? [];
  process.kill(Number(pid), "SIGKILL");
  await ui.program.command.line(/the web UI was ended by SIGKILL, and is started/);
  expect((await ui.ask("/api/session", { cookie: ui.cookie })).status).toBe(200);
});

test("who waits for the web UI gets it although Node.js could not be started at first", async () => {
  // As during an upgrade, which replaces the file.
  const main = `import { main } from "${import.meta.resolve("../src/index.ts")}";
    process.execPath = new URL("node", import.meta.url).pathname;
    await main({ title: "shop", config: "hemi.conf" });`;
  await using folder = await folderWith({ "hemi.conf": config("one"), "main.mjs": main });
  const node = join(folder.path, "node");
  await symlink(process.execPath, node);
  const options = { cwd: folder.path, main: join(folder.path, "main.mjs") };
  await using program = await serveWith(options, "--webui", "127.0.0.1:0");
  const { link = "" } = (await program.call("webUI")) ?? {};
  await rm(node);
  const asked = fetch(new URL("/", link));
  await program.command.line(/the web UI .*could not be started/);
  await symlink(process.execPath, node);
  expect((await asked).status).toBe(200);
});

test("a port that is taken costs the web UI and nothing else; an address of the network is refused", async () => {
  await using folder = await folderWith({ "hemi.conf": config("one") });
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const program = await serve(folder.path, "--webui", `127.0.0.1:${port}`);
  await using _ = program;
  await program.command.line(/warn has no web UI: cannot listen on 127\.0\.0\.1:\d+: another program listens there/);
  expect(await program.call("webUI")).toBeNull();
  expect((await run(["webui"], { cwd: folder.path })).stderr).toContain("has no web UI");
  expect(await (await fetch(`http://127.0.0.1:${program.port}/hello`)).text()).toBe("one");
  await program.end();
  server.close();
  const open = await run(["serve", "--webui", "0.0.0.0:0"], { cwd: folder.path });
  expect(open).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("would send its token readable over the network"),
  });
});

test("a program of one process shows itself, too, and is steered from there", async () => {
  await using folder = await folderWith({ "hemi.conf": config("one") });
  await using program = start(["serve", "--single", "--webui", "127.0.0.1:0"], { cwd: folder.path });
  const [, port = ""] = await program.line(/listens on 127\.0\.0\.1:(\d+)/);
  const [, link = ""] = await program.line(/Web UI: (http\S+)/);
  const shop = `http://127.0.0.1:${port}/hello`;
  expect(await (await fetch(shop)).text()).toBe("one");
  const client = await clientOf(link);

  const [data] = (await once(await eventsOf(client), "data")) as [Buffer];
  const [, pulse = ""] = /^data: (.*)$/m.exec(data.toString()) ?? [];
  expect(JSON.parse(pulse)).toMatchObject({
    leader: { pid: program.child.pid, slots: 1, listensOn: [`127.0.0.1:${port}`] },
    workers: [{ slot: 0, pid: program.child.pid, state: "ready" }],
  });
  expect((await client.get("components?filter=rule.hello")).total).toBe(1);
  expect((await client.get("config")).files[0]?.text).toContain('.returnText = "one"');
  const explained = await client.post("explain", { url: shop });
  expect(explained.text).toContain("rule.hello");
  expect((await client.act("logLevel", { level: "debug", path: "webapp.none" })).text).toContain("no component");

  await writeFile(join(folder.path, "hemi.conf"), "stage {");
  expect((await client.act("reload")).text).toContain("hemi.conf:1:");
  await writeFile(join(folder.path, "hemi.conf"), config("two"));
  expect((await client.act("reload")).status).toBe(200);
  expect(await (await fetch(shop)).text()).toBe("two");
  expect((await client.get("config")).files[0]?.text).toContain('.returnText = "two"');
  expect((await client.act("rework")).text).toContain("there is one process");
  program.child.kill("SIGTERM");
  expect((await program.finished()).code).toBe(0);
});

test("a program of one process serves on if nobody reads the link of its web UI", async () => {
  await using folder = await folderWith({ "hemi.conf": config("one") });
  const options = ["--single", "--webui", "127.0.0.1:0", "--log-file", "hemi.log"];
  await using program = start(["serve", ...options], { cwd: folder.path });
  program.child.stderr?.destroy();
  const logged = () => readFile(join(folder.path, "hemi.log"), "utf8").catch(() => "");
  await expect.poll(logged, { timeout: 40_000 }).toMatch(/shows itself on/);
  program.child.kill("SIGTERM");
  expect((await program.finished()).code).toBe(0);
  expect(await logged()).not.toContain("EPIPE");
});

test("a program of one process that writes to no terminal has no web UI unless it is asked for", async () => {
  await using folder = await folderWith({ "hemi.conf": config("one") });
  await using program = start(["serve", "--single"], { cwd: folder.path });
  await program.line(/listens on 127\.0\.0\.1:\d+/);
  program.child.kill("SIGTERM");
  expect((await program.finished()).stderr).not.toMatch(/web UI/i);
});
