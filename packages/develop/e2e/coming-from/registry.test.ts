// A container registry, by the configuration of its guide, beside nginx.

import { testTranslation } from "./translation.ts";

const known = "authorization=Basic%20YW5uOnNlY3JldA%3D%3D";

testTranslation({
  page: "registry.md",
  host: "images.example",
  places: { "127.0.0.1:5000": "app registry", "/etc/registry": "files" },
  files: { htpasswd: "ann:$apr1$abcdefgh$h9FWgUz3n9YxylKLlR5SQ/\n" },
  told: ["host", "x-real-ip", "x-forwarded-for", "x-forwarded-proto", "authorization"],
  explained: [
    ["GET /v2/", "webapp.images/rule.registry/basicAuth or webapp.images/rule.registry/httpProxy"],
    [`GET /v2/ ${known}`, "webapp.images/rule.registry/basicAuth or webapp.images/rule.registry/httpProxy"],
    [
      `PUT /v2/a/blobs/uploads/1 ${known}`,
      "webapp.images/rule.registry/basicAuth or webapp.images/rule.registry/httpProxy",
    ],
    ["GET /v2/ user-agent=docker/1.4.1", "webapp.images/rule.old clients 404"],
    ["GET /v1/", "404"],
  ],
  compared: [
    {
      http: 'map $upstream_http_docker_distribution_api_version $api_version { "" "registry/2.0"; }',
      nginx: `client_max_body_size 0; proxy_http_version 1.1;
        location / { return 404; }
        location /v2/ {
          if ($http_user_agent ~ "^(docker\\/1\\.(3|4|5(?!\\.[0-9]-dev))|Go ).*$" ) { return 404; }
          auth_basic "Registry realm"; auth_basic_user_file /etc/registry/htpasswd;
          add_header 'Docker-Distribution-Api-Version' $api_version always;
          proxy_pass http://127.0.0.1:5000; proxy_read_timeout 900;
          proxy_set_header Host $http_host; proxy_set_header X-Real-IP $remote_addr;
          proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;
        }`,
      lines: [
        "GET /v2/",
        `GET /v2/ ${known}`,
        "GET /v2/ authorization=Basic%20YW5uOndyb25n",
        `PUT /v2/a/blobs/uploads/1?digest=sha256:0 ${known} content-length=3000000`,
        `GET /v2/a/manifests/none?status=404 ${known}`,
        "GET /v1/",
      ],
      fields: ["docker-distribution-api-version"],
    },
  ],
});
