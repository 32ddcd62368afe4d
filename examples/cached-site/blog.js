// A blog with an API, in plain Node.js. It says how long each page is fresh and which posts are in it, as plug-ins of
// WordPress do, and tells the cache when a post has changed. `node blog.js PORT`, with the site's address in SITE.

import { createServer } from "node:http";

const [, , port = "3085"] = process.argv;
const site = process.env.SITE ?? "http://127.0.0.1:3080";
const posts = new Map(Array.from({ length: 20 }, (_, i) => [String(i + 1), `Post ${i + 1}`]));
/** How many pages were made: each costs a database time. */
let made = 0;

const server = createServer(async (req, res) => {
  const url = new URL(req.url, "http://blog");
  const [, id] = /^\/posts\/(\d+)$/.exec(url.pathname) ?? [];
  const isEditor = (req.headers.cookie ?? "").includes("editor=yes");
  if (url.pathname === "/login") {
    res.writeHead(303, { "set-cookie": "editor=yes; HttpOnly; Path=/", location: "/" }).end();
  } else if (url.pathname === "/made") {
    res.setHeader("cache-control", "no-store").end(String(made));
  } else if (req.method === "POST" && isEditor && posts.has(id)) {
    const form = new URL(`?${await textOf(req)}`, site).searchParams;
    posts.set(id, form.get("title") ?? "");
    // All that shows this post: its page, the front page, the API.
    await fetch(site, { method: "PURGE", headers: { "cache-tag": `post-${id}` } });
    res.writeHead(303, { location: `/posts/${id}` }).end();
  } else if (url.pathname === "/") {
    page(res, isEditor, [...posts.keys()], [...posts].map(([id, title]) => link(id, title)).join("\n"));
  } else if (posts.has(id)) {
    const form = isEditor ? '<form method="post"><input name="title"><button>Publish</button></form>' : "";
    page(res, isEditor, [id], `<h1>${escape(posts.get(id))}</h1>${form}`);
  } else if (url.pathname === "/api/posts") {
    const from = (Number(url.searchParams.get("page") ?? "1") - 1) * 10;
    const shown = [...posts].slice(from, from + 10).map(([id, title]) => ({ id, title }));
    headers(
      res,
      isEditor,
      shown.map(({ id }) => id),
    );
    res.setHeader("content-type", "application/json").end(JSON.stringify(shown));
  } else res.writeHead(404).end("no such page");
});

function page(res, isEditor, ids, content) {
  headers(res, isEditor, ids);
  res.setHeader("content-type", "text/html; charset=utf-8");
  res.end(`<!doctype html><html lang="en"><title>Blog</title><link rel="icon" href="data:,"><body>${content}</body>`);
}

/** Caches keep it for an hour, browsers do not: they could not be told of a change. */
function headers(res, isEditor, ids) {
  made++;
  res.setHeader("cache-control", isEditor ? "no-store" : "no-cache");
  if (!isEditor) res.setHeader("cdn-cache-control", "max-age=3600");
  res.setHeader("cache-tag", ids.map((id) => `post-${id}`).join(", "));
}

function link(id, title) {
  return `<p><a href="/posts/${id}">${escape(title)}</a></p>`;
}

function escape(text) {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

async function textOf(req) {
  let text = "";
  for await (const piece of req) text += piece;
  return text;
}

server.listen(Number(port), "127.0.0.1", () => console.log(`listens on ${server.address().port}`));
