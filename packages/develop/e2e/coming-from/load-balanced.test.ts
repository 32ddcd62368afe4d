// A few lines of HAProxy, by the configuration of its guide, beside HAProxy.

import { testTranslation } from "./translation.ts";

testTranslation({
  page: "load-balanced.md",
  host: "www.example",
  places: {
    "127.0.0.1:8001": "app web",
    "127.0.0.1:8002": "app web",
    "127.0.0.1:9001": "app api",
    "127.0.0.1:9002": "app traced",
  },
  told: ["host", "x-forwarded-for", "x-trace"],
  explained: [
    ["GET /", "webapp.www/rule.web/httpProxy"],
    ["GET /admin/", "webapp.www/rule.office only 403"],
    ["GET /old/page", "webapp.www/rule.old 301"],
    ["GET /api/orders", "webapp.www/rule.api/httpProxy"],
    ["GET /api/orders x-trace=", "webapp.www/rule.tracing/httpProxy"],
    ["GET /live upgrade", "webapp.www/rule.web/httpProxy"],
  ],
  compared: [
    {
      haproxy: `frontend www
          bind :80
          option forwardfor
          http-response set-header X-Frame-Options DENY
          acl office src 10.0.0.0/8 192.168.0.0/16
          http-request deny deny_status 403 if { path_beg /admin } !office
          http-request redirect code 301 location /new/ if { path_beg /old }
          use_backend traced if { req.hdr(X-Trace) -m found } { path_beg /api/ }
          use_backend api if { path_beg /api/ }
          default_backend web
        backend web
          balance roundrobin
          cookie SRV insert indirect nocache
          option httpchk GET /health
          default-server inter 2s fall 3 rise 2 maxconn 200
          server one 127.0.0.1:8001 check cookie one
          server two 127.0.0.1:8002 check cookie two
        backend api
          server api 127.0.0.1:9001
        backend traced
          server traced 127.0.0.1:9002`,
      lines: [
        "GET /",
        "GET /orders/7?a=b",
        "POST /orders content-length=2000000",
        "GET /admin/users",
        "GET /old/page",
        "GET /api/orders%2F7",
        "DELETE /api/orders/7",
        "GET /api/orders x-trace=1",
        "GET /api/orders x-trace=",
        "GET /live upgrade",
        "GET /none?status=404",
      ],
    },
  ],
});
