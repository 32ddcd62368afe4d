import { createHash, randomBytes } from "node:crypto";
import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bootFile, bootText, MemorySink, openErrorLog, type ServerPart, type Stage } from "@hemi/hemi";
import { expect, test, type TestContext } from "vitest";
import { peer } from "../src/peers.ts";
import { startPHP } from "../src/php-fpm.ts";

const example = fileURLToPath(new URL("../../../examples/php-site/", import.meta.url));

function originOf(stage: Stage): string {
  const { listensOn: [listensOn = ""] = [] }: ServerPart = stage.find("httpxServer.main")?.part ?? {};
  return `http://${listensOn.replace("[::]", "127.0.0.1")}`;
}

test("the example keeps notes with files in a session, and sends its style by itself", async (context) => {
  await using php = await startPHP(peer("php-fpm", context));
  const env = { PHP_FPM: php.socket, PORT: "0" };
  await using stage = await bootFile(join(example, "php-site.conf"), { baseDir: example, env });
  await stage.start();
  const origin = originOf(stage);

  const first = await fetch(origin);
  expect(await first.text()).toContain("Visit 1 of this session");
  const [cookie = ""] = first.headers.getSetCookie().map((one) => one.split(";")[0]);
  const form = new FormData();
  form.set("note", "<buy milk>");
  const bytes = randomBytes(1_000_000);
  form.set("file", new Blob([bytes]), "list.txt");
  const posted = await fetch(origin, { method: "POST", body: form, headers: { cookie }, redirect: "manual" });
  expect([posted.status, posted.headers.get("location")]).toEqual([303, "/"]);
  const page = await (await fetch(origin, { headers: { cookie } })).text();
  expect(page).toContain("Visit 3 of this session");
  const sha1 = createHash("sha1").update(bytes).digest("hex");
  expect(page).toContain(`&lt;buy milk&gt; (list.txt, 1000000 bytes, sha1 ${sha1})`);

  expect((await fetch(`${origin}/site.css`)).headers.get("content-type")).toBe("text/css; charset=utf-8");
  expect((await fetch(`${origin}/none.php`)).status).toBe(404);
  expect((await fetch(`${origin}/site.css/x.php`)).status).toBe(404);
});

/** A site of one script. */
async function siteOf(script: string, context: TestContext, props = "", rules = "") {
  const php = await startPHP(peer("php-fpm", context));
  const folder = await mkdtempDisposable(join(tmpdir(), "hemi-php-site-"));
  await writeFile(join(folder.path, "index.php"), `<?php ${script}`);
  const sink = new MemorySink();
  const text = `stage {
    fcgiBackend "php" { .nodes = (["address": "${php.socket}"]) .maxConnsPerNode = 3 ${props} }
    httpxServer "main" { .webapps = ("site") .address = "127.0.0.1:0" }
    webapp "site" {
      .hostnames = ("*") .webRoot = "${folder.path}"
      ${rules}
      rule { .maxContentSize = 200M fcgiRelay { .toBackend = "php" .accelRedirect = true } }
    }
  }`;
  const stage = await bootText(text, { log: openErrorLog({ sink }) });
  await stage.start();
  return {
    origin: originOf(stage),
    folder: folder.path,
    log: sink.lines,
    async [Symbol.asyncDispose]() {
      await stage.quit(1000);
      await php[Symbol.asyncDispose]();
      await folder.remove();
    },
  };
}

const large = 100 * 1024 * 1024;

test("a script is told of the request as PHP programs expect it", async (context) => {
  await using site = await siteOf("header('Content-Type: application/json'); echo json_encode($_SERVER);", context);
  const told: unknown = await (
    await fetch(`${site.origin}/index.php/more?a=b`, {
      headers: { proxy: "evil", "x-a": "b", authorization: "Basic eA==" },
    })
  ).json();
  expect(told).toMatchObject({
    SCRIPT_NAME: "/index.php",
    PHP_SELF: "/index.php/more",
    PATH_INFO: "/more",
    QUERY_STRING: "a=b",
    REQUEST_URI: "/index.php/more?a=b",
    HTTP_X_A: "b",
    HTTP_AUTHORIZATION: "Basic eA==",
  });
  expect(told).not.toHaveProperty("HTTP_PROXY");
});

test("100 MiB go up and come down, byte for byte", async (context) => {
  const script = `
    if ($_SERVER['REQUEST_METHOD'] === 'POST') { echo hash_file('sha1', 'php://input'); exit; }
    header('Content-Length: ' . ${large});
    for ($i = 0; $i < 100; $i++) { echo str_repeat(chr($i), 1024 * 1024); }`;
  await using site = await siteOf(script, context);
  const bytes = Buffer.alloc(large, "0123456789abcdef-");
  const sum = await (await fetch(site.origin, { method: "POST", body: bytes })).text();
  expect(sum).toBe(createHash("sha1").update(bytes).digest("hex"));
  const down = createHash("sha1");
  const expected = createHash("sha1");
  const response = await fetch(site.origin);
  down.update(Buffer.from(await response.arrayBuffer()));
  for (let i = 0; i < 100; i++) expected.update(Buffer.alloc(1024 * 1024, i));
  expect(down.digest("hex")).toBe(expected.digest("hex"));
}, 60_000);

test("an answer reaches the client as it is made", async (context) => {
  const script = `
    header('Content-Type: text/event-stream');
    ob_end_flush();
    echo "data: 1\\n\\n";
    while (!connection_aborted()) { flush(); usleep(10000); echo ':'; }`;
  await using site = await siteOf(script, context);
  const first = await new Promise<string>((resolve, reject) => {
    const req = get(site.origin, (response) => {
      response.once("data", (chunk: Buffer) => {
        resolve(chunk.toString());
        req.destroy();
      });
    });
    req.once("error", reject);
  });
  expect(first).toMatch(/^data: 1\n\n/);
});

test("a script lets a client have a file that the engine sends", async (context) => {
  const script = "header('X-Accel-Redirect: /report.txt'); header('Content-Type: text/csv');";
  await using site = await siteOf(script, context, "", `rule $depth != "0" { static {} }`);
  await writeFile(join(site.folder, "report.txt"), "0123456789");
  const answer = await fetch(site.origin, { headers: { range: "bytes=2-4" } });
  expect([answer.status, answer.headers.get("content-type"), await answer.text()]).toEqual([
    206,
    "text/csv;charset=UTF-8",
    "234",
  ]);
});

test("a script is told of no field whose name PHP would take for another one", async (context) => {
  await using site = await siteOf("echo $_SERVER['HTTP_X_USER'] ?? 'nobody';", context);
  for (const name of ["X_User", "X.User"]) {
    expect(await (await fetch(site.origin, { headers: { [name]: "admin" } })).text()).toBe("nobody");
  }
});

test("a script that sleeps too long gives 504", async (context) => {
  await using site = await siteOf("sleep(2);", context, ".readTimeout = 100ms");
  expect((await fetch(site.origin)).status).toBe(504);
  expect(site.log.join("")).toContain("nothing of its answer came for 100 ms");
});

test("a script that dies gives 502, and the next one is answered", async (context) => {
  const script = "if (isset($_GET['die'])) { posix_kill(posix_getpid(), 9); sleep(1); } echo 'alive';";
  await using site = await siteOf(script, context);
  expect((await fetch(`${site.origin}/?die`)).status).toBe(502);
  expect(await (await fetch(site.origin)).text()).toBe("alive");
});

test("an error of a script is in the log, and so is a flood of them, up to a bound", async (context) => {
  const script = "for ($i = 0; $i < 2000; $i++) { error_log(str_repeat('x', 200)); } error_log('last'); echo 'done';";
  await using site = await siteOf(script, context);
  expect(await (await fetch(site.origin)).text()).toBe("done");
  const log = site.log.join("");
  expect(log).toContain("the program says: ");
  expect(log).toContain("see maxComplaints");
  expect(log.length).toBeLessThan(64 * 1024);
});

test("more requests than processes wait for their turn, and none is lost", async (context) => {
  await using site = await siteOf("usleep(5000); echo 'ok';", context);
  const answers = await Promise.all(Array.from({ length: 60 }, async () => (await fetch(site.origin)).text()));
  expect(new Set(answers)).toEqual(new Set(["ok"]));
});

test("connections that another server keeps do not starve this one", async (context) => {
  const php = await startPHP(peer("php-fpm", context), 1);
  await using _php = php;
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-php-site-"));
  await writeFile(join(folder.path, "index.php"), "<?php echo 'ok';");
  // More connections are allowed than there are processes: what is kept must not hold off what waits.
  const text = `stage {
    fcgiBackend "php" { .nodes = (["address": "${php.socket}"]) .maxConnsPerNode = 10 }
    httpxServer "main" { .webapps = ("site") .address = "127.0.0.1:0" }
    webapp "site" { .hostnames = ("*") .webRoot = "${folder.path}" .toBackend = "php" rule { fcgiRelay {} } }
  }`;
  await using stage = await bootText(text, { log: openErrorLog({ sink: new MemorySink() }) });
  await stage.start();
  const answers = await Promise.all(Array.from({ length: 30 }, () => stage.inject({ url: "/" })));
  expect(new Set(answers.map(({ text }) => text))).toEqual(new Set(["ok"]));
});
