import { once } from "node:events";
import { chmod, lstat, readFile, symlink, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { folderWith, run, start } from "./command.ts";

const hello = `stage {
    webapp "hello" {
        .hostnames = ("*")
        rule { .returnText = "hello" }
    }
    httpxServer "main" {
        .webapps = ("hello")
        .address = "127.0.0.1:" + %env(PORT, "0")
    }
}
`;

/** The text of a module whose pack has one addon with these methods. */
function packOf(sign: string, methods: string): string {
  return `import { defineAddon, pack } from "${import.meta.resolve("@hemi/hemi")}";
    export default pack("test", [defineAddon({ sign: "${sign}", create: () => ({ ${methods} }) })]);`;
}

const listening = /listens on 127\.0\.0\.1:(\d+)/;

describe("hemi serve", () => {
  test.each(["-config", "--config"])("serves what %s names, and ends in order at SIGTERM", async (option) => {
    await using folder = await folderWith({ "hello.conf": hello });
    await using command = start(["serve", option, "hello.conf", "--single"], { cwd: folder.path });
    const [, port] = await command.line(listening);
    const answer = await fetch(`http://127.0.0.1:${port}/`);
    expect(await answer.text()).toBe("hello");
    command.child.kill("SIGTERM");
    expect((await command.finished()).code).toBe(0);
  });

  test("ends at once at the second signal, though a request is still on its way", async () => {
    await using folder = await folderWith({ "hello.conf": hello });
    await using command = start(["serve", "--config", "hello.conf", "--grace", "10m"], { cwd: folder.path });
    const [, port] = await command.line(listening);
    const socket = connect(Number(port), "127.0.0.1");
    await once(socket, "connect");
    // Answered once, so that the connection is known; then a head that never ends.
    socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    await once(socket, "data");
    socket.write("GET / HTTP/1.1\r\n");
    socket.on("error", () => {});
    command.child.kill("SIGINT");
    await command.line(/ends because of SIGINT/);
    command.child.kill("SIGINT");
    expect((await command.finished()).code).not.toBe(null);
    socket.destroy();
  });

  test("follows its configuration file at SIGHUP, and goes on as before where that is wrong", async () => {
    await using folder = await folderWith({ "hello.conf": hello });
    await using command = start(["serve", "--config", "hello.conf"], { cwd: folder.path });
    const [, port] = await command.line(listening);
    const socket = connect(Number(port), "127.0.0.1");
    /** Asks on one connection, which stays open. */
    const ask = async (): Promise<string> => {
      socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
      const [answer] = (await once(socket, "data")) as [Buffer];
      return answer.toString().replace(/^[^]*\r\n\r\n/, "");
    };
    expect(await ask()).toBe("hello");
    await writeFile(join(folder.path, "hello.conf"), hello.replace('"hello" }', '"good day" }'));
    command.child.kill("SIGHUP");
    await command.line(/ info follows the new configuration .*created=1.*dropped=1/);
    expect(await ask()).toBe("good day");
    await writeFile(join(folder.path, "hello.conf"), hello.replace(".returnText", ".returnTxt"));
    command.child.kill("SIGHUP");
    await command.line(/ error could not follow the new configuration, and goes on as before/);
    await command.line(/hello\.conf:4:16.*HEMI_CONFIG_UNKNOWN_PROP/);
    expect(await ask()).toBe("good day");
    socket.end();
    command.child.kill("SIGTERM");
    expect((await command.finished()).code).toBe(0);
  });

  test("says that a port is taken, and exits with 2", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const address = other.address();
    const port = typeof address === "object" && address !== null ? String(address.port) : "";
    await using folder = await folderWith({ "hello.conf": hello });
    const { code, stderr } = await run(["serve", "--config", "hello.conf"], { cwd: folder.path, env: { PORT: port } });
    other.close();
    expect(code).toBe(2);
    const message = `HEMI_LISTEN: cannot listen on 127.0.0.1:${port}: another program listens there`;
    expect(stderr).toMatch(new RegExp(`^hello\\.conf:\\d+:\\d+ ${message.replaceAll(".", "\\.")}`, "m"));
  });

  test("ends with 1, in order, when something is thrown that nothing catches", async () => {
    await using folder = await folderWith({
      "hello.conf": hello.replace("stage {", 'stage { stray "timer" {}'),
      "stray.mjs": packOf("stray", 'start() { setTimeout(() => { throw new Error("stray"); }, 1); }'),
    });
    const { code, stderr } = await run(["serve", "--single", "--config", "hello.conf", "--use", "./stray.mjs"], {
      cwd: folder.path,
    });
    expect(code).toBe(1);
    expect(stderr).toContain("something was thrown that nothing caught");
  });

  test("serves a stage that nothing but its schedule keeps, and ends though a component left a timer", async () => {
    await using folder = await folderWith({
      "idle.conf": 'stage { quiet "one" {} }',
      "quiet.mjs": packOf("quiet", 'start() { console.error("started"); }, shutdown() { setInterval(() => {}, 1e6); }'),
    });
    await using command = start(["serve", "--config", "idle.conf", "--use", "./quiet.mjs", "--log-level", "debug"], {
      cwd: folder.path,
    });
    await command.line(/started/);
    command.child.kill("SIGTERM");
    const { code, stderr } = await command.finished();
    expect(code).toBe(0);
    expect(stderr).toMatch(/ended, though something was not closed: .*Timeout/);
  });

  test("ends while it still starts", async () => {
    await using folder = await folderWith({
      "slow.conf": 'stage { slow "one" {} }',
      "slow.mjs": packOf("slow", 'prepare() { console.error("preparing"); return new Promise(() => {}); }'),
    });
    await using command = start(["serve", "--config", "slow.conf", "--use", "./slow.mjs", "--grace", "50ms"], {
      cwd: folder.path,
    });
    await command.line(/preparing/);
    command.child.kill("SIGINT");
    const { stderr } = await command.finished();
    expect(stderr).toContain("ends because of SIGINT");
  });

  test("writes JSON lines to a file when told so", async () => {
    await using folder = await folderWith({ "hello.conf": hello });
    const args = ["serve", "--config", "hello.conf", "--log-format", "json", "--log-file", "hemi.log"];
    await using command = start(args, { cwd: folder.path });
    const log = join(folder.path, "hemi.log");
    await expect.poll(() => readFile(log, "utf8").catch(() => ""), { timeout: 10_000 }).toContain("listens on");
    command.child.kill("SIGTERM");
    await command.finished();
    for (const line of (await readFile(log, "utf8")).trim().split("\n")) {
      expect(JSON.parse(line)).toHaveProperty("level");
    }
  });
});

describe("hemi check", () => {
  test("prints PASS for a configuration that can be used", async () => {
    await using folder = await folderWith({ "hello.conf": hello });
    const { code, stdout } = await run(["check", "-config", "hello.conf"], { cwd: folder.path });
    expect([code, stdout]).toEqual([0, "PASS\n"]);
  });

  test("prints warnings and PASS for what is allowed and most likely not meant", async () => {
    const conf = hello.replace("stage {", 'stage {\n    webapp "lost" { .hostnames = ("lost.example") }');
    await using folder = await folderWith({ "hello.conf": conf });
    const { code, stdout, stderr } = await run(["check", "-config", "hello.conf"], { cwd: folder.path });
    expect([code, stdout]).toEqual([0, "PASS\n"]);
    expect(stderr).toContain('hello.conf:2:5 HEMI_CONFIG_DOUBT: webapp "lost": no server serves it');
  });

  test("prints all mistakes in one go, with place, line, caret and the nearest name", async () => {
    const wrong = hello.replace(".hostnames", ".hostname").replace(".returnText", ".returnTexts");
    await using folder = await folderWith({ "wrong.conf": wrong });
    const { code, stdout, stderr } = await run(["check", "-config", "wrong.conf"], { cwd: folder.path });
    expect(code).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toContain(`wrong.conf:3:9 HEMI_CONFIG_UNKNOWN_PROP: webapp "hello" has no property "hostname"
    3 |         .hostname = ("*")
      |         ^^^^^^^^^ did you mean .hostnames?
`);
    expect(stderr).toContain("did you mean .returnText?");
  });

  test("looks at the files that are named, and tells of all that cannot be used", async () => {
    const secure = `stage {
      webapp "a" { .hostnames = ("*") .tlsCert = "none.pem" rule { nodeHandlet { .module = "none.ts" } } }
      webapp "b" { .hostnames = ("b.example") rule { fetchHandlet { .module = "app.ts" } } }
      httpxServer "main" { .webapps = ("a", "b") .address = ":3443" .tlsMode = true }
    }`;
    await using folder = await folderWith({ "secure.conf": secure, "app.ts": 'throw new Error("it ran");' });
    const { code, stdout, stderr } = await run(["check", "-config", "secure.conf"], { cwd: folder.path });
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("webapp.a/rule/nodeHandlet could not be used:\nsecure.conf:2:92 HEMI_MODULE: the module");
    expect(stderr).toMatch(/webapp\.a could not be used:\nsecure\.conf:2:\d+ HEMI_FILE: .*none\.pem/);
    expect(stderr).not.toContain("app.ts");
  });

  test.each(["none", "hello.conf"])("exits with 2 for a base that is no folder (%s)", async (base) => {
    await using folder = await folderWith({ "hello.conf": hello });
    const { code, stderr } = await run(["check", "-config", "hello.conf", "--base", base], { cwd: folder.path });
    expect(code).toBe(2);
    expect(stderr).toContain(`--base ${base}`);
  });

  test("exits with 2 for a file that is not there", async () => {
    await using folder = await folderWith({});
    const { code, stderr } = await run(["check", "-config", "none.conf"], { cwd: folder.path });
    expect(code).toBe(2);
    expect(stderr).toContain("none.conf");
  });
});

describe("hemi fmt", () => {
  const untidy = 'stage{webapp "a"{.hostnames=("*")\n# kept\nrule{.returnText="x"}}}';

  test("lays a file out, keeps its comments, and has nothing to do the second time", async () => {
    await using folder = await folderWith({ "a.conf": untidy });
    const first = await run(["fmt", "a.conf"], { cwd: folder.path });
    expect([first.code, first.stdout]).toEqual([0, "a.conf\n"]);
    expect(await readFile(join(folder.path, "a.conf"), "utf8")).toContain("# kept");
    const second = await run(["fmt", "--check", "a.conf"], { cwd: folder.path });
    expect([second.code, second.stdout]).toEqual([0, ""]);
  });

  test("with --check names the file, changes nothing and fails", async () => {
    await using folder = await folderWith({ "a.conf": untidy });
    const { code, stdout } = await run(["fmt", "--check", "a.conf"], { cwd: folder.path });
    expect([code, stdout]).toEqual([1, "a.conf\n"]);
    expect(await readFile(join(folder.path, "a.conf"), "utf8")).toBe(untidy);
  });

  test("reads standard input and writes standard output for -", async () => {
    const { code, stdout } = await run(["fmt", "-"], { input: untidy });
    expect(code).toBe(0);
    expect(stdout).toContain('webapp "a" {');
  });

  test("keeps a link a link and the mode of the file, and refuses what is no UTF-8", async () => {
    await using folder = await folderWith({ "real.conf": untidy });
    const real = join(folder.path, "real.conf");
    await chmod(real, 0o666);
    await symlink(real, join(folder.path, "link.conf"));
    await writeFile(join(folder.path, "bytes.conf"), Buffer.from('stage { webapp "\xff" {} }', "latin1"));
    const { code, stderr } = await run(["fmt", "link.conf", "bytes.conf"], { cwd: folder.path });
    expect(code).toBe(2);
    expect(stderr).toContain("cannot read bytes.conf");
    expect((await lstat(join(folder.path, "link.conf"))).isSymbolicLink()).toBe(true);
    expect((await lstat(real)).mode & 0o777).toBe(0o666);
    expect(await readFile(real, "utf8")).toContain('webapp "a" {');
  });

  test("leaves a file with mistakes as it is", async () => {
    await using folder = await folderWith({});
    await writeFile(join(folder.path, "b.conf"), "stage { webapp ");
    const { code, stderr } = await run(["fmt", "b.conf"], { cwd: folder.path });
    expect(code).toBe(1);
    expect(stderr).toContain("b.conf:1:");
    expect(await readFile(join(folder.path, "b.conf"), "utf8")).toBe("stage { webapp ");
  });
});

describe("the command line", () => {
  test("is refused with one line that says what to do", async () => {
    const { code, stderr } = await run(["sreve"]);
    expect([code, stderr]).toEqual([1, "hemi: there is no command sreve; did you mean serve?\n"]);
  });

  test("names a module that cannot be loaded", async () => {
    await using folder = await folderWith({ "hemi.conf": hello });
    const { code, stderr } = await run(["serve", "--use", "./none.ts"], { cwd: folder.path });
    expect(code).toBe(1);
    expect(stderr).toContain("--use ./none.ts cannot be loaded");
  });

  test("help and version answer, also as options", async () => {
    expect((await run(["help"])).stdout).toContain("Usage: hemi");
    expect((await run(["--version"])).stdout).toMatch(/^hemi \d+\.\d+\.\d+, Node\.js 24\./);
  });
});
