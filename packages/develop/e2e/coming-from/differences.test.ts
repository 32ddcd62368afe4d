// Where Hemi once answered differently, and those that people come from were right.

import { test } from "vitest";
import { compare, script, type Site } from "./translation.ts";

const host = "site.example";

/** A stage with these rules, and what else stands in it. */
const stageOf = (rules: string, { server = "", stage = "" } = {}): string => `stage {
  ${stage}
  webapp "site" { .hostnames = ("${host}") .webRoot = "/srv/site" ${rules} }
  httpxServer "main" { .address = ":80" ${server} }
}`;

const php = 'fcgiBackend "php" { .nodes = (["address": "/run/php/php-fpm.sock"]) }';
const places = { "/run/php/php-fpm.sock": "php", "/srv/site": "files" } as const;
const fastcgi = `include /etc/nginx/fastcgi_params;
  fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; fastcgi_pass unix:/run/php/php-fpm.sock;`;

test("REQUEST_URI is what the client asked for, whatever a path was rewritten to", async (context) => {
  const site: Site = { host, places, files: { "index.php": script } };
  const configuration = stageOf(
    'rule { rewriter { .pattern = "^/(?!index.php).*$" .target = "/index.php" } fcgiRelay { .toBackend = "php" } }',
    { stage: php },
  );
  const lines = ["GET /2026/11/hello/?p=1", "GET /index.php/a"];
  const nginx = `root /srv/site; location / { rewrite ^ /index.php last; }
    location ~ \\.php(/|$) { fastcgi_split_path_info ^(.+?\\.php)(.*)$; set $info $fastcgi_path_info; ${fastcgi}
      fastcgi_param PATH_INFO $info; }`;
  await compare(configuration, site, { nginx, lines }, context);
});

test("SERVER_PORT is the port that took the connection, not one that the client names", async (context) => {
  const port = "<?php echo $_SERVER['SERVER_PORT'] === '9999' ? 'chosen by the client' : 'of the connection';";
  const site: Site = { host: `${host}:9999`, places, files: { "index.php": port } };
  const configuration = stageOf('rule { fcgiRelay { .toBackend = "php" } }', { stage: php });
  const nginx = `root /srv/site; index index.php; location ~ \\.php$ { ${fastcgi} }`;
  await compare(configuration, site, { nginx, lines: ["GET /index.php"] }, context);
});

test("a path with an encoded slash, which can be no file, is left to the proxy behind static", async (context) => {
  const site: Site = { host, places: { "/srv/site": "files", "127.0.0.1:3000": "app gitlab" }, files: { a: "file" } };
  const configuration = stageOf('rule { static {} httpProxy { .to = ("127.0.0.1:3000") } }');
  const nginx = `root /srv/site; location / { try_files $uri @app; }
    location @app { proxy_pass http://127.0.0.1:3000; }`;
  const lines = ["GET /a", "GET /api/v4/projects/group%2Fproj", "GET /x%2Fy?z=%2F"];
  await compare(configuration, site, { nginx, lines }, context);
});

test("a folder with an index file of a relay is redirected to its path with a slash", async (context) => {
  const site: Site = { host, places, files: { "blog/index.php": script } };
  const configuration = stageOf('rule { static { .indexFile = ("index.php") } fcgiRelay { .toBackend = "php" } }', {
    stage: php,
  });
  const nginx = `root /srv/site; index index.php; location / { try_files $uri $uri/ =404; }
    location ~ \\.php$ { ${fastcgi} }`;
  await compare(
    configuration,
    site,
    { nginx, lines: ["GET /blog", "GET /blog/", "GET /blog?a=b", "GET /none"] },
    context,
  );
});

test("the client that a trusted server names is told to backends, too", async (context) => {
  const site: Site = { host, places: { "127.0.0.1:3000": "app site" }, told: ["x-forwarded-for"] };
  const configuration = stageOf('rule { httpProxy { .to = ("127.0.0.1:3000") } }', {
    server: '.trustForwarded = ("127.0.0.1")',
  });
  const nginx = `set_real_ip_from 127.0.0.1; real_ip_header X-Forwarded-For;
    location / { proxy_pass http://127.0.0.1:3000; proxy_set_header X-Forwarded-For $remote_addr; }`;
  await compare(configuration, site, { nginx, lines: ["GET / x-forwarded-for=1.2.3.4", "GET /"] }, context);
});

const upload: Site = { host, places: { "127.0.0.1:3000": "app site" } };
const proxy = 'rule { httpProxy { .to = ("127.0.0.1:3000") } }';

test("a proxy passes 2 MB on, as Caddy does", async (context) => {
  const lines = ["POST / content-length=2000000"];
  await compare(stageOf(proxy), upload, { caddy: "reverse_proxy 127.0.0.1:3000", lines }, context);
});

test("a proxy passes 2 MB on, as HAProxy does", async (context) => {
  const haproxy = `frontend www
      bind :80
      default_backend site
    backend site
      server site 127.0.0.1:3000`;
  await compare(stageOf(proxy), upload, { haproxy, lines: ["POST / content-length=2000000"] }, context);
});

test("what is over .maxContentSize is refused as with client_max_body_size, and 0 means no limit", async (context) => {
  const configuration = stageOf(
    `rule $path == "/any" { .maxContentSize = 0 httpProxy { .to = ("127.0.0.1:3000") } }
    rule { .maxContentSize = 1M httpProxy { .to = ("127.0.0.1:3000") } }`,
  );
  const nginx = `location / { client_max_body_size 1m; proxy_pass http://127.0.0.1:3000; }
    location = /any { client_max_body_size 0; proxy_pass http://127.0.0.1:3000; }`;
  const lines = ["POST / content-length=1000000", "POST / content-length=2000000", "POST /any content-length=2000000"];
  await compare(configuration, upload, { nginx, lines }, context);
});

test("a fallback answers whatever a client accepts, where that is wished", async (context) => {
  const site: Site = { host, places: { "/srv/site": "files" }, files: { "index.html": "home", "a.js": "js" } };
  const configuration = stageOf('rule { static { .fallback = "index.html" .fallbackFor = "any" } }');
  const nginx = "root /srv/site; location / { try_files $uri /index.html; }";
  const lines = ["GET /users/7 accept=*%2F*", "GET /users/7 accept=text%2Fhtml", "GET /users/7", "GET /a.js"];
  await compare(configuration, site, { nginx, lines }, context);
});

test("a forwarded field that is set takes the place of the proxy's own", async (context) => {
  const site: Site = { host, places: { "127.0.0.1:3000": "app site" }, told: ["x-forwarded-for", "x-forwarded-proto"] };
  const configuration = stageOf(
    `rule {
      httpProxy {
        .to = ("127.0.0.1:3000")
        .setRequestHeaders = ["x-forwarded-for": $srcHost, "x-forwarded-proto": "https"]
      }
    }`,
  );
  const nginx = `location / {
    proxy_pass http://127.0.0.1:3000;
    proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto https;
  }`;
  await compare(configuration, site, { nginx, lines: ["GET /", "GET / x-forwarded-for=6.6.6.6"] }, context);
});
