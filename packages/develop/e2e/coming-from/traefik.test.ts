// A dynamic file of Traefik, which is in no package of Debian: the answers are those that its documentation tells of.

import { testTranslation } from "./translation.ts";

const known = "authorization=Basic%20YW5uOnNlY3JldA%3D%3D";

testTranslation({
  page: "traefik.md",
  host: "site.example",
  places: {
    "127.0.0.1:8201": "app blog",
    "127.0.0.1:8202": "app blog",
    "127.0.0.1:8203": "app dashboard",
    "127.0.0.1:8204": "app api",
  },
  told: ["host", "x-forwarded-host"],
  explained: [
    ["GET /dashboard/", "webapp.site/rule.dashboard/accessChecker 403"],
    ["GET /blog/posts", "webapp.site/rule.blog/httpProxy"],
    ["GET /v1/orders", "webapp.site/rule.api/basicAuth or webapp.site/rule.api/httpProxy"],
    [`GET /v1/orders ${known}`, "webapp.site/rule.api/basicAuth or webapp.site/rule.api/httpProxy"],
    ["GET /other", "webapp.site/rule.not found 404"],
  ],
  answered: [
    ["GET /dashboard/", { status: 403 }],
    [
      "GET /blog/posts?a=b",
      { status: 200, content: "blog: GET /posts?a=b\nhost: site.example\nx-forwarded-host: site.example" },
    ],
    ["GET /blog", { status: 200, content: "blog: GET /\nhost: site.example\nx-forwarded-host: site.example" }],
    ["GET /v1/orders", { status: 401 }],
    [
      `GET /v1/orders ${known}`,
      { status: 200, content: "api: GET /api/v1/orders\nhost: site.example\nx-forwarded-host: site.example" },
    ],
    [`PUT /v1/orders ${known}`, { status: 404 }],
    ["GET /other", { status: 404 }],
  ],
});
