// Configurations of well-known applications, written for Hemi: each boots, sends requests where it should, and where
// nginx stands beside it, answers as nginx does.

import { mkdir, mkdtempDisposable, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { bootFile, formatConfig, MemorySink, openErrorLog, type ServerPart, type Stage } from "@hemi/hemi";
import { describe, expect, test, type TestContext } from "vitest";
import { startNginx } from "../../src/nginx.ts";
import { peer } from "../../src/peers.ts";
import { startPHP } from "../../src/php-fpm.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const script =
  "<?php header('Content-Type: text/plain'); echo basename($_SERVER['SCRIPT_FILENAME']), ' ', $_SERVER['SCRIPT_NAME'], ' ', $_SERVER['REQUEST_URI'];";

/** Files of all applications together. */
const files: Readonly<Record<string, string>> = {
  "index.php": script,
  "wp-login.php": script,
  "remote.php": script,
  "wp-admin/index.php": script,
  "wp-content/uploads/evil.php": script,
  "wp-content/uploads/a.png": "png",
  "style.css": "css",
  "docs/index.html": "docs",
  "404.html": "<p>no such page</p>",
  "500.html": "<p>sorry</p>",
  "backup.sql": "sql",
  "packs/app.js": "js",
  "assets/app.js": "app",
  "data/secret.txt": "secret",
};

async function siteOf(more: Readonly<Record<string, string>> = {}) {
  const folder = await mkdtempDisposable(join(tmpdir(), "hemi-coming-from-"));
  for (const [name, content] of Object.entries({ ...files, ...more })) {
    await mkdir(dirname(join(folder.path, name)), { recursive: true });
    await writeFile(join(folder.path, name), content);
  }
  return folder;
}

async function boot(name: string, env: Readonly<Record<string, string>>): Promise<Stage> {
  const log = openErrorLog({ sink: new MemorySink() });
  return await bootFile(join(here, `${name}.conf`), { log, env: { ADDRESS: "127.0.0.1:0", ...env } });
}

const socket = {
  upgrade: "websocket",
  connection: "Upgrade",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
};

/** Which component answers, by `hemi explain`, and with which status, where that is known. */
const explained: Readonly<Record<string, readonly (readonly [line: string, answer: string])[]>> = {
  laravel: [
    ["GET /style.css", "webapp.laravel/rule.files/static"],
    ["GET /users/7", "webapp.laravel/rule.front controller/fcgiRelay"],
    ["POST /login", "webapp.laravel/rule.front controller/fcgiRelay"],
    ["GET /wp-login.php", "webapp.laravel/rule.other scripts are not run 404"],
    ["GET /", "webapp.laravel/rule.front controller/fcgiRelay"],
  ],
  "single-page": [
    ["GET /assets/app.js", "webapp.app/rule.built/static"],
    ["GET /assets/none.js", "webapp.app/rule.built/static 404"],
    ["GET /users/7", "webapp.app/rule.pages/static 200"],
    ["GET /manual/docs/", "webapp.app/rule.manual/static"],
    ["GET /manual/none", "webapp.app/rule.manual/static 404"],
  ],
  h5bp: [
    ["GET /docs/", "webapp.site/rule.files/static"],
    ["GET /docs", "webapp.site/rule.files/static 301"],
    ["GET /none", "webapp.site/rule.files/static 404"],
    ["GET /backup.sql", "webapp.site/rule.backups 403"],
    ["GET /.git/config", "webapp.site/rule.files/static 404"],
  ],
  jellyfin: [
    ["GET /", "webapp.media/rule.root 302"],
    ["GET /web/", "webapp.media/rule/httpProxy"],
    ["GET /socket?api_key=1 upgrade", "webapp.media/rule/httpProxy"],
    ["GET /Videos/1/stream.mkv", "webapp.media/rule/httpProxy"],
    ["POST /Sessions/Playing", "webapp.media/rule/httpProxy"],
  ],
  mastodon: [
    ["GET /packs/app.js", "webapp.mastodon/rule.built/static"],
    ["GET /packs/none.js", "webapp.mastodon/rule.built/static 404"],
    ["GET /api/v1/streaming?stream=user upgrade", "webapp.mastodon/rule.streaming/httpProxy"],
    ["GET /api/v1/streaming/health", "webapp.mastodon/rule.streaming/httpProxy"],
    ["GET /@ann", "webapp.mastodon/rule.files, then the app/httpProxy"],
  ],
  gitlab: [
    ["GET /style.css", "webapp.gitlab/rule.deploy page/static"],
    ["GET /api/v4/projects/group%2Fproj", "webapp.gitlab/rule/httpProxy"],
    ["POST /group/proj.git/git-receive-pack", "webapp.gitlab/rule/httpProxy"],
    ["GET /-/cable upgrade", "webapp.gitlab/rule/httpProxy"],
    ["GET /none.css", "webapp.gitlab/rule/httpProxy"],
  ],
  nextcloud: [
    ["GET /.well-known/caldav", "webapp.cloud/rule.calendars 301"],
    ["GET /data/secret.txt", "webapp.cloud/rule.private 404"],
    ["PROPFIND /remote.php/dav/files/ann", "webapp.cloud/rule.scripts/fcgiRelay"],
    ["GET /apps/files/", "webapp.cloud/rule.front controller/fcgiRelay"],
    ["GET /style.css", "webapp.cloud/rule.assets/static"],
  ],
};

test("what docs/coming-from.md calls by a name is there: components and props", async () => {
  const docs = fileURLToPath(new URL("../../../../docs/", import.meta.url));
  const page = await readFile(join(docs, "coming-from.md"), "utf8");
  const ours = page.split("\n").flatMap((line) => (line.startsWith("| ") ? (line.split(/(?<!\\)\|/)[2] ?? []) : []));
  expect(ours.length).toBeGreaterThan(90);
  const references = await Promise.all(
    (await readdir(join(docs, "reference"))).map(
      async (file) => [file, await readFile(join(docs, "reference", file), "utf8")] as const,
    ),
  );
  const missing = ours.flatMap((text) => [
    ...[...text.matchAll(/(?<![\w"])([a-z]\w+)(?: "\w+")? \{/gi)].flatMap(([, sign]) =>
      references.some(([file]) => file === `${sign}.md`) ? [] : [`${sign} {`],
    ),
    ...[...text.matchAll(/(?<=[ `])\.([a-z]\w+)/gi)].flatMap(([, prop]) =>
      references.some(([, page]) => page.includes(`[\`${prop}\`](#`)) ? [] : [`.${prop}`],
    ),
  ]);
  expect(missing.filter((name) => !/^\.(?:html|php)$/.test(name))).toEqual([]);
});

describe.each(Object.entries(explained))("%s", (name, requests) => {
  test("boots, and is laid out as hemi fmt does it", async () => {
    await using site = await siteOf();
    await using stage = await boot(name, { WEB_ROOT: site.path });
    expect(stage.state).toBe("created");
    const text = await readFile(join(here, `${name}.conf`), "utf8");
    expect(formatConfig(text, `${name}.conf`).text).toBe(text);
  });

  test("sends requests where they should go", async () => {
    await using site = await siteOf({ "index.html": "home" });
    await using stage = await boot(name, { WEB_ROOT: site.path, MANUAL: site.path });
    for (const [line, answer] of requests) {
      const [method = "", url = "", upgrade] = line.split(" ");
      const { outcome } = await stage.explain({
        method,
        url,
        headers: { host: "a.example", ...(upgrade !== undefined && socket) },
      });
      const told = "by" in outcome ? `${outcome.by} ${outcome.status ?? ""}`.trim() : outcome.type;
      expect.soft([line, told]).toEqual([line, answer]);
    }
  });
});

/** Starts both, asks both for each of these, and expects the same of them. */
async function compare(
  name: string,
  context: TestContext,
  {
    nginx,
    http,
    lines,
    fields,
    php,
  }: {
    readonly nginx: (root: string, fpm: string) => string;
    readonly http?: string;
    readonly lines: readonly string[];
    readonly fields: readonly string[];
    readonly php: boolean;
  },
) {
  await using stack = new AsyncDisposableStack();
  const program = peer("nginx", context);
  const fpm = php ? stack.use(await startPHP(peer("php-fpm", context))).socket : "";
  const site = stack.use(await siteOf(php ? {} : { "index.html": "home", "about.html": "about" }));
  const other = stack.use(await startNginx(program, nginx(site.path, fpm), http));
  const stage = stack.use(await boot(name, { WEB_ROOT: site.path, MANUAL: site.path, PHP_FPM: fpm }));
  await stage.start();
  const { listensOn: [address = ""] = [] }: ServerPart = stage.find("httpxServer.main")?.part ?? {};
  for (const line of lines) {
    const [method = "", path = ""] = line.split(" ");
    const [ours, theirs] = await Promise.all(
      [`http://${address}`, `http://${other.address}`].map(async (origin) => {
        const answer = await fetch(origin + path, { method, redirect: "manual" });
        const ofPage = answer.status < 400 ? await answer.text() : "";
        const location = answer.headers.get("location")?.replace(/^http:\/\/[^/]+/, "");
        return [
          line,
          answer.status,
          ofPage.replace(/^<html>.*<\/html>\s*$/s, ""),
          location,
          ...fields.map((field) => answer.headers.get(field)),
        ];
      }),
    );
    expect.soft(ours).toEqual(theirs);
  }
}

const params = (fpm: string) => `include /etc/nginx/fastcgi_params;
  fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; fastcgi_pass unix:${fpm};`;

test("Laravel is answered as with nginx", async (context) => {
  await compare("laravel", context, {
    php: true,
    nginx: (root, fpm) => `root ${root}; index index.php;
      location / { try_files $uri $uri/ /index.php?$query_string; }
      location = /index.php { ${params(fpm)} }
      location ~ \\.php$ { return 404; }`,
    lines: ["GET /", "GET /users/7?a=b", "POST /login", "GET /style.css", "GET /wp-login.php", "GET /packs/app.js"],
    fields: [],
  });
});

test("a single-page application is answered as with nginx", async (context) => {
  await compare("single-page", context, {
    php: false,
    nginx: (root) => `root ${root}; error_page 404 /404.html;
      location /assets/ { try_files $uri =404; }
      location /manual/ { alias ${root}/; try_files $uri $uri.html =404; }
      location / { try_files $uri $uri/ /index.html; }`,
    lines: [
      "GET /",
      "GET /assets/app.js",
      "GET /assets/none.js",
      "GET /users/7",
      "HEAD /users/7",
      "GET /style.css",
      "GET /manual/style.css",
      "GET /manual/none",
    ],
    fields: [],
  });
});

test("the fields of HTML5 Boilerplate are on the answers that nginx has them on", async (context) => {
  await compare("h5bp", context, {
    php: false,
    http: `charset utf-8; charset_types text/css;
      map $sent_http_content_type $csp { ~*text/html "default-src 'self'"; }
      map $sent_http_content_type $frames { ~*text/html DENY; }`,
    nginx: (root) => `root ${root}; error_page 404 /404.html;
      add_header x-content-type-options nosniff always;
      add_header referrer-policy strict-origin-when-cross-origin always;
      add_header content-security-policy $csp always;
      add_header x-frame-options $frames always;
      location ~* (?:\\.(?:bak|conf|dist|ini|log|orig|sh|sql|swp)|~)$ { deny all; }
      location / { try_files $uri $uri/ =404; }`,
    lines: ["GET /", "GET /docs/", "GET /style.css", "GET /none", "HEAD /none", "GET /about.html"],
    fields: ["content-security-policy", "x-frame-options", "x-content-type-options", "referrer-policy", "content-type"],
  });
});
