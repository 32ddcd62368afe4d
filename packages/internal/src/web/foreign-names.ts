// What words of other servers (nginx, Caddy, HAProxy, Apache) are called here, for hints behind errors.

/** The hint for a variable of nginx, without its dollar; `undefined` for what is none. */
export function foreignVariable(name: string): string | undefined {
  const [, family = "", rest = ""] = /^(http|arg)_(\w+)$/.exec(name) ?? [];
  const own = variables.get(name) ?? (rest === "" ? undefined : families[family]?.(rest));
  return own && `write ${own}`;
}

/** The same for what stands in a `log_format` of nginx, where more is known. */
export function foreignLogVariable(name: string): string | undefined {
  const [, field] = /^sent_http_(\w+)$/.exec(name) ?? [];
  const own = field === undefined ? logVariables.get(name) : `$sent_${field}`;
  return own === undefined ? foreignVariable(name) : `write ${own}`;
}

const logVariables: ReadonlyMap<string, string> = new Map([
  ["time_local", "$time"],
  ["time_iso8601", "$time"],
  ["msec", "$time"],
  ["request", '$method + " " + $originalURI + " HTTP/" + $version'],
  ["body_bytes_sent", "$contentSent"],
  ["bytes_sent", "$contentSent, which is without the head"],
  ["request_time", "$totalTime, in milliseconds"],
  ["upstream_addr", "$node"],
  ["upstream_response_time", "$nodeTime, in milliseconds"],
  ["realip_remote_addr", "$peerHost"],
  ["server_protocol", '"HTTP/" + $version'],
]);

const families: Readonly<Record<string, (rest: string) => string>> = {
  http: (rest) => `$header_${rest}`,
  arg: (rest) => `$query_${rest}`,
};

const variables: ReadonlyMap<string, string> = new Map([
  ["args", "$queryString, which begins with ?"],
  ["query_string", "$queryString, which begins with ?"],
  ["is_args", "$queryString, which begins with ? unless it is empty"],
  ["remote_addr", "$srcHost"],
  ["binary_remote_addr", "$srcHost"],
  ["realip_remote_addr", "$peerHost, in the template of an access log"],
  ["remote_port", "$srcPort"],
  ["host", "$hostname"],
  ["http_host", "$authority"],
  ["server_name", "$hostname"],
  ["server_port", "$serverPort"],
  ["request_uri", "$originalURI"],
  ["document_uri", "$path"],
  ["request_method", "$method"],
  ["request_id", "$requestId"],
  ["content_type", "$contentType"],
  ["time_local", "$localTime"],
  ["time_iso8601", "$localTime"],
  ["server_protocol", "$version, in the template of an access log"],
  ["ssl_protocol", "$tlsVersion"],
  ["ssl_cipher", "$tlsCipher"],
  ["ssl_server_name", "$tlsServerName"],
  ["ssl_client_verify", "$tlsClientVerified"],
  ["ssl_client_s_dn", "$tlsClientSubject"],
  ["ssl_client_i_dn", "$tlsClientIssuer"],
  ["ssl_client_escaped_cert", "$tlsClientEscapedPEM"],
  ["proxy_add_x_forwarded_for", "nothing: httpProxy sends x-forwarded-for by itself, see .forwarded"],
]);

/** Hints for signs and props: from words of other servers to what does the same here. */
export const foreignNames: ReadonlyMap<string, string> = new Map([
  ["reverse_proxy", 'write httpProxy { .to = ("127.0.0.1:3081") }'],
  ["proxy_pass", 'write httpProxy { .to = ("127.0.0.1:3081") }'],
  ["proxyPass", 'write httpProxy { .to = ("127.0.0.1:3081") }'],
  ["ProxyPass", 'write httpProxy { .to = ("127.0.0.1:3081") }'],
  ["upstream", 'write http1Backend "app" { .nodes = (["address": "127.0.0.1:3081"]) }'],
  ["location", 'write rule $path ^= "/…" { … }'],
  ["handle", 'write rule $path ^= "/…" { … }'],
  ["handle_path", 'write rule $path ^= "/…" { … }'],
  ["server", 'write webapp "name" { … }, and httpxServer "name" { … } for where it listens'],
  ["frontend", 'write httpxServer "name" { … }'],
  ["VirtualHost", 'write webapp "name" { … }, and httpxServer "name" { … } for where it listens'],
  ["server_name", "it is .hostnames of a webapp"],
  ["ServerName", "it is .hostnames of a webapp"],
  ["listen", "it is .address of httpxServer"],
  ["bind", "it is .address of httpxServer"],
  ["port", 'it is in .address of httpxServer, as in "127.0.0.1:3080" or ":3080"'],
  ["root", "it is .webRoot"],
  ["DocumentRoot", "it is .webRoot"],
  ["file_server", "write static {}"],
  ["fileServer", "write static {}"],
  ["try_files", "write static {}, which leaves what it does not find to the next handlet or rule"],
  ["fastcgi_pass", 'write fcgiRelay { .toBackend = "php" }, and fcgiBackend "php" { … } in the stage'],
  ["php_fastcgi", 'write fcgiRelay { .toBackend = "php" }, and fcgiBackend "php" { … } in the stage'],
  ["rewrite", "write rewriter { … }"],
  ["redir", "it is .returnCode and .returnText of a rule"],
  ["redirect", "it is .returnCode and .returnText of a rule"],
  ["return", "it is .returnCode and .returnText of a rule"],
  ["respond", "it is .returnCode and .returnText of a rule"],
  ["proxy_set_header", "it is .setRequestHeaders of httpProxy"],
  ["proxy_read_timeout", "it is .readTimeout of httpProxy or of its backend"],
  ["client_max_body_size", "it is .maxContentSize"],
  ["error_page", "it is .errorPages"],
  ["access_log", "it is .accessLog of a webapp"],
  ["tls", "it is .tlsMode of httpxServer, with .tlsCert and .tlsKey of its webapps"],
  ["ssl", "it is .tlsMode of httpxServer, with .tlsCert and .tlsKey of its webapps"],
  ["https", "it is .tlsMode of httpxServer, with .tlsCert and .tlsKey of its webapps"],
  ["cert", "it is .tlsCert, with .tlsKey"],
  ["certificate", "it is .tlsCert, with .tlsKey"],
  ["key", "that of a certificate is .tlsKey, with .tlsCert"],
  ["ssl_certificate", "it is .tlsCert, with .tlsKey"],
  ["ssl_certificate_key", "it is .tlsKey, with .tlsCert"],
  ["set_real_ip_from", "it is .trustForwarded of httpxServer"],
]);
