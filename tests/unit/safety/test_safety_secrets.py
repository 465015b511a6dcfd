"""Keys are masked in every text, secret files are recognised, and no child process gets a key."""

import re
import time
from base64 import b64encode

import pytest

from ctxe.safety.secrets import clean_environment, is_secret_file, mask, refuse

HOLD = """
    .env .env.local .env.production sub/.ENV prod.env .envrc id_rsa .ssh/id_ed25519 home/.ssh/config server.pem
    tls.key store.p12 x.pfx app.jks .netrc _netrc .pgpass .npmrc .pypirc .git-credentials .htpasswd credentials
    credentials.json Credentials.yml secrets.toml secrets.yaml .aws/credentials .kube/config kubeconfig
    .env~ .env-prod .env_local #.env# id_rsa.bak id_rsa.old secrets.yml.bak credentials.json~ terraform.tfstate.backup
    terraform.tfvars.json server.key.old .netrc.save kubeconfig.yaml rclone.conf .mylogin.cnf .bash_history .zsh_history
    secrets.prod.yaml credentials.local.json firebase-adminsdk-a1.json .vault-pass vault_pass.txt
    .docker/config.json .config/gh/hosts.yml terraform.tfvars terraform.tfstate service-account-prod.json
    client_secret_123.json .vault-token config/master.key auth.json .github-token
    """

HOLD_NONE = """
    .env-example .env_sample .env.example~ .env.d.ts .envoy.yaml app.py.bak history.md secrets.ts credentials.store.ts
    .env.example .env.sample .env.template env.py environment.yml id_rsa.pub .ssh/known_hosts .ssh/id_rsa.pub
    cert.pem cacert.pem ca-bundle.pem fullchain.pem public.pem keys.py secrets.py secret_santa.md
    credentials.py tokenizer.json keyboard.ts test.environment monkey.txt docs/credentials.md src/auth.ts
    example.tfvars.example credentials.json.example
    """

A, D, H = "aB3dE6gH9jK2mN5pQ8sT", "0123456789", "0123456789abcdef" * 4
LONG = (A + "uV1wX4yZ7bC0") * 3

KEYS = {
    "anthropic": ("sk-ant-api03-" + LONG, "Anthropic key"),
    "openai project": ("sk-proj-" + LONG, "API key"),
    "openai old": ("sk-" + LONG[:48], "API key"),
    "openrouter": ("sk-or-v1-" + H, "API key"),
    "github in base64": (b64encode(b"ghp_" + LONG[:36].encode()).decode(), "key in base64"),
    "anthropic in base64": (b64encode(b"sk-ant-api03-" + LONG[:36].encode()).decode(), "key in base64"),
    "private key in base64": (
        b64encode(b"-----BEGIN RSA PRIVATE KEY-----\n" + 4 * LONG.encode()).decode(),
        "private key in base64",
    ),
    "github classic": ("ghp_" + LONG[:36], "GitHub token"),
    "github app": ("ghs_" + LONG[:36], "GitHub token"),
    "github fine": ("github_pat_" + LONG[:22] + "_" + LONG[:59], "GitHub token"),
    "gitlab": ("glpat-" + A, "GitLab token"),
    "aws": ("AKIA" + "IOSFODNN7ABCDEFG", "AWS key id"),
    "aws session": ("ASIA" + "IOSFODNN7ABCDEFG", "AWS key id"),
    "google": ("AIza" + LONG[:35], "Google key"),
    "google oauth": ("ya29." + LONG[:40], "Google key"),
    "slack": ("xoxb-" + "1234567890-" + A, "Slack token"),
    "stripe": ("sk_live_" + LONG[:24], "Stripe key"),
    "npm": ("npm_" + LONG[:36], "npm token"),
    "pypi": ("pypi-AgEIcHlwaS5vcmc" + LONG[:50], "PyPI token"),
    "hugging face": ("hf_" + LONG[:34], "Hugging Face token"),
    "groq": ("gsk_" + LONG[:52], "API key"),
    "sendgrid": ("SG." + LONG[:22] + "." + LONG[:43], "SendGrid key"),
    "digital ocean": ("dop_v1_" + H, "cloud token"),
    "vault": ("hvs." + LONG[:30], "cloud token"),
    "age": ("AGE-SECRET-KEY-1" + "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L" * 2, "age key"),
    "gitlab job": ("glcbt-64_" + A, "GitLab token"),
    "sonar": ("sqp_" + H, "cloud token"),
    "heroku": ("HRKU-" + LONG[:60], "cloud token"),
    "tailscale": ("tskey-auth-" + LONG[:40], "cloud token"),
    "docker": ("dckr_pat_" + LONG[:27], "cloud token"),
    "linear": ("lin_api_" + LONG[:40], "service token"),
    "planetscale": ("pscale_tkn_" + LONG[:43], "service token"),
    "doppler": ("dp.pt." + LONG[:43], "service token"),
    "postman": ("PMAK-" + H[:24] + "-" + H[:34], "service token"),
    "new relic": ("NRAK-" + "ABCDEFGHIJKLMNOPQRSTUVWXYZ1", "service token"),
    "grafana": ("glsa_" + LONG[:32] + "_" + H[:8], "service token"),
    "langsmith": ("lsv2_pt_" + H[:32] + "_" + H[:10], "service token"),
    "vercel": ("vercel_blob_rw_" + LONG[:40], "service token"),
    "square": ("sq0atp-" + LONG[:22], "service token"),
    "atlassian": ("ATATT3xFfGF0" + LONG, "service token"),
    "mailgun": ("key-" + H[:32], "mail key"),
    "shopify": ("shpss_" + H[:32], "service token"),
    "sourcegraph": ("sgp_" + H[:16] + "_" + H[:40], "service token"),
    "brevo": ("xkeysib-" + H + "-" + LONG[:16], "service token"),
    "eleven": ("sk_" + H[:48], "service token"),
    "firecrawl": ("fc-" + H[:32], "service token"),
    "circle": ("CCIPAT_" + LONG[:22] + "_" + H[:40], "service token"),
    "contentful": ("CFPAT-" + LONG[:20] + "_-" + LONG[:21], "service token"),
    "pinecone": ("pcsk_" + LONG[:6] + "_" + LONG[:63], "service token"),
    "cloudflare": ("cfut_" + LONG[:48], "service token"),
    "doppler service": ("dp.sa." + LONG[:43], "service token"),
    "docker organisation": ("dckr_oat_" + LONG[:32], "service token"),
    "vault batch": ("hvb." + LONG + LONG, "service token"),
    "stripe organisation": ("sk_org_live_" + LONG[:40], "service token"),
    "notion of old": ("secret_" + LONG[:43], "service token"),
    "cerebras": ("csk-" + LONG[:48].lower(), "service token"),
    "resend": ("re_" + LONG[:8] + "_" + LONG[:24], "service token"),
    "dynatrace": ("dt0c01." + LONG[:24].upper() + "." + LONG[:64].upper(), "service token"),
    "1password": ("ops_eyJ" + LONG * 3, "service token"),
    "1password secret": ("A3-AB12CD-AB12CD34EF5-AB12C-AB12C-AB12C", "service token"),
    "mapbox": ("sk.eyJ1Ijoi" + LONG[:60] + "." + LONG[:22], "service token"),
    "artifactory": ("cmVmdGtu" + LONG[:56], "service token"),
    "facebook": ("EAAM" + LONG, "service token"),
    "twilio": ("SK" + H[:32], "service token"),
    "cloudflare origin": ("v1.0-" + H[:24] + "-" + H * 3, "cloud token"),
    "cloudflare tunnel": ("eyJhIjoi" + LONG + LONG, "cloud token"),
    "yandex": ("t1." + LONG[:40] + "." + (LONG * 2)[:86], "cloud token"),
    "bedrock": ("ABSK" + (LONG * 2)[:109] + "=", "cloud token"),
    "alibaba": ("LTAI" + LONG[:20], "cloud token"),
    "google of 2025": ("AQ.Ab8RN6" + LONG[:44], "Google key"),
    "discord": ("MT" + LONG[:24] + "." + LONG[:6] + "." + LONG[:38], "bot token"),
    "jwt": ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0." + LONG[:43], "JWT"),
}


@pytest.mark.parametrize("name", KEYS)
def test_known_shapes_are_masked(name: str) -> None:
    key, kind = KEYS[name]
    for around in ("{}", "key={}\n", '"{}",', "see {} there", "\t12\t{}", "x ({})", "`{}`", "é{}é"):
        assert mask(around.format(key)) == (around.format(f"‹secret: {kind}›"), 1)


@pytest.mark.parametrize(
    "kind", ["RSA PRIVATE KEY", "PRIVATE KEY", "OPENSSH PRIVATE KEY", "EC PRIVATE KEY", "PGP PRIVATE KEY BLOCK"]
)
def test_private_keys_are_masked_whole(kind: str) -> None:
    body = "\n".join([LONG[:64]] * 20)
    block = f"-----BEGIN {kind}-----\n{body}\n-----END {kind}-----"
    assert mask(f"before\n{block}\nafter") == ("before\n‹secret: private key›\nafter", 1)
    numbered = "\n".join(f"{n}\t{line}" for n, line in enumerate(block.split("\n")))
    assert LONG[:20] not in mask(numbered)[0]
    assert LONG[:20] not in mask(block.partition("-----END")[0])[0], "cut off before its end"
    for text in (block, numbered):
        assert LONG[:20] not in mask("\n".join(text.split("\n")[5:]))[0], "cut off after its beginning"
    assert mask(f"words before\n{block.partition(body[:9])[2]}")[0].startswith("words before\n")


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("x8Q~" + LONG[:34], "x‹secret: cloud token›"),
        ("a.atlasv1." + LONG, "a‹secret: cloud token›"),
        ("PGPASSWORD=s3cr3tPw psql", "PGPASSWORD=‹secret: password› psql"),
        ("machine a login bob password s3cr3t", "machine a login bob password ‹secret: password›"),
        ("machine a\n  login bob\n  password s3cr3t", "machine a\n  login bob\n  password ‹secret: password›"),
        ("default login bob password s3cr3t", "default login bob password ‹secret: password›"),
        (f'"auth": "{LONG[:20]}"', '"auth": "‹secret: password›"'),
        (f"https://a.test/?q=1&key={LONG[:39]}", "https://a.test/?q=1&key=‹secret: key in a URL›"),
        (f"git clone https://{LONG[:40]}@a.test/b", "git clone https://‹secret: key in a URL›@a.test/b"),
        (f"otpauth://totp/a?secret={'ABCDEFGH' * 4}", "otpauth://totp/a?secret=‹secret: password›"),
        (f"Private-Lines: 1\n{LONG[:64]}\nPrivate-MAC: 1", "Private-Lines: 1\n‹secret: private key›Private-MAC: 1"),
        ("DB_PASSWORD=hunter22", "DB_PASSWORD=‹secret: value›"),
        ("export STRIPE_SECRET='abcd-efgh'", "export STRIPE_SECRET='‹secret: value›'"),
        ("a=1\nSESSION_TOKEN=xyz12345 # note\nb=2", "a=1\nSESSION_TOKEN=‹secret: value› # note\nb=2"),
        ("+API_KEY=canary-one", "+API_KEY=‹secret: value›"),
        (f'{{"client_secret": "{A}"}}', '{"client_secret": "‹secret: value›"}'),
        (f"password: '{A}'", "password: '‹secret: value›'"),
        (f'token = "{A}"', 'token = "‹secret: value›"'),
        (f"aws_secret_access_key = {LONG[:40]}", "aws_secret_access_key = ‹secret: value›"),
        (f"headers['x-api-key'] = '{A}'", "headers['x-api-key'] = '‹secret: value›'"),
        (f"Authorization: Bearer {A}", "Authorization: Bearer ‹secret: authorization›"),
        (f"curl -H 'authorization: token {A}'", "curl -H 'authorization: token ‹secret: authorization›'"),
        ("postgres://app:s3cr3t@db:5432/x", "postgres://app:‹secret: password in a URL›@db:5432/x"),
        ("https://:ghostly@host/x", "https://:‹secret: password in a URL›@host/x"),
        (f"AccountName=x;AccountKey={LONG}==;", "AccountName=x;AccountKey=‹secret: storage key›;"),
        ("1234567890:AA" + LONG[:33], "1234567890:‹secret: bot token›"),
        (
            f"https://discord.com/api/webhooks/1234567890/{LONG}",
            "https://discord.com/api/webhooks/1234567890/‹secret: webhook address›",
        ),
        (f"https://x.test/a?se=1&sig={LONG[:43]}%3D", "https://x.test/a?se=1&sig=‹secret: signed address›"),
        (f"Set-Cookie: sid={LONG[:32]}; HttpOnly", "Set-Cookie: sid=‹secret: cookie›; HttpOnly"),
        ("curl -s -u bob:pa55word https://x.test", "curl -s -u bob:‹secret: password› https://x.test"),
        (f"tool --access-token {A} --verbose", "tool --access-token ‹secret: password› --verbose"),
        ("<password>hunter2xyz</password>", "<password>‹secret: password›</password>"),
        ("[db]\npassword = f7bNihdIGnJX1q8M\nport = 1", "[db]\npassword = ‹secret: value›\nport = 1"),
        ("postgres://u:p@ss:w0rd!@db/x", "postgres://u:‹secret: password in a URL›@db/x"),
        ("sendemail.smtppass=tulip-garden-77", "sendemail.smtppass=‹secret: password›"),
        ("//r.test/:_auth=dXNlcjpwYXNzd29yZDEyMw==", "//r.test/:_auth=‹secret: value›"),
        ("  password: aHVudGVyMmh1bnRlcjI=", "  password: ‹secret: value›"),
        (f"Cookie: a=b; sid={LONG[:32]}", "Cookie: a=b; sid=‹secret: cookie›"),
        ("> X-Api-Key: AbCdEf0123456789", "> X-Api-Key: ‹secret: authorization›"),
        ("curl -H 'PRIVATE-TOKEN: abcd1234efgh' x", "curl -H 'PRIVATE-TOKEN: ‹secret: authorization›' x"),
        ("Server=a;User Id=b;Password=Str0ng!Pass;", "Server=a;User Id=b;Password=‹secret: password›;"),
        ("jdbc:mysql://h/db?user=a&password=s3cretpw1", "jdbc:mysql://h/db?user=a&password=‹secret: password›"),
        ("spring.datasource.password=s3cretpw1\n", "spring.datasource.password=‹secret: password›\n"),
        ("mysqldump -u root -pS3cretPass db", "mysqldump -u root -p‹secret: password› db"),
        ("sshpass -p 's3cretPW1' ssh x", "sshpass -p '‹secret: password›' ssh x"),
        ("docker login -u me -p S3cretPw0rd ghcr.io", "docker login -u me -p ‹secret: password› ghcr.io"),
        (f'{{"kty":"RSA","d":"{LONG[:43]}"}}', '{"kty":"RSA","d":"‹secret: private key›"}'),
        (f"pat{LONG[:14]}.{H}", "‹secret: service token›"),
        (f"ATBB{LONG[:32]}", "‹secret: service token›"),
        (f"access_token$production$abcdefghij012345${H[:32]}", "access_token$production$‹secret: service token›"),
        (
            f"https://a.test/IncomingWebhook/{H[:32]}/{H[:8]}-0123-0123-0123-{H[:12]}",
            "https://a.test/IncomingWebhook/‹secret: webhook address›",
        ),
        (f"https://hooks.slack.com/services/T000/B000/{A}", "https://hooks.slack.com/services/‹secret: Slack address›"),
    ],
)
def test_values_of_secret_sounding_names_are_masked(text: str, masked: str) -> None:
    assert mask(text)[0] == masked


@pytest.mark.parametrize(
    "text",
    [
        "token = get_token(request)",
        "password = os.environ['PASSWORD']",
        "api_key: str | None = None",
        'api_key="your-api-key-here"',
        "API_KEY=your_key_here",
        "API_KEY=$OTHER",
        "API_KEY=${OTHER}",
        "API_KEY=",
        "PASSWORD=changeme",
        "for token in tokens: pass",
        "token = parseOAuth2Token1",
        "password: Password2Reset",
        "tool --token-limit 4096 --secret id=npmrc,src=/home/ada/.npmrc2 --password-stdin",
        "docker run -u 1000:1000 curlimages/curl https://x.test",
        "cache-key-0123456789abcdef0123456789abcdef",
        "<token>identifier</token>",
        'export TOKEN="github_pat_..."',
        "Cookie: session=short",
        "max_tokens=4096",
        'TOKEN_URL = "https://example.test/oauth/token"',
        "secret_key = settings.SECRET_KEY",
        "postgres://user:password@localhost/db",
        "send('username=tj&password=foobar')",
        "self.smtp_pass = config.get('smtp_pass', None)",
        "this.password=value;\nself.token=parse2(x)",
        "docker login --password-stdin ghcr.io",
        "mysql -port 3306 -protocol=tcp",
        '{"a": 1, "d": "0123"}',
        "cat path/to/pattern.py",
        "https://example.test:8080/a@b",
        "git@github.com:owner/name.git",
        "class sk-fading-circle sk-loading-indicator",
        "task-list-item-checkbox-input-field-1",
        "commit 4b825dc642cb6eb9a060e54bf8d69288fbee4904",
        "sha256:" + H,
        "assert key == 'value'",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "eyJ is how a JWT begins",
        "import secrets; secrets.token_hex(16)",
        "tokens: 1,234,567 (12 %)",
        '"max_output_tokens": 128000,',
        "secret_access_key_2_of_environment_1 = live_v2_endpoint_of_region_1",
        "re_split_2_words = re_compile_some_1_thing",
        "fw_update_1234567890_of_device_1 = sk_learn_version_2",
        "https://example.test/?key=name&token=short1 AKIDs",
        '"auth": "none", "auth": true',
        "log in: type login and your password twice",
        "follow the login and password that curl finds",
        "shpss_ and fc-1a2b are beginnings",
        "def mask_password(password: str, *, keep_last_4_digits: bool) -> str:",
    ],
)
def test_ordinary_code_is_unchanged(text: str) -> None:
    assert mask(text) == (text, 0)


def test_the_api_key_in_use_is_masked_whatever_its_form() -> None:
    own = ("plain words", "tiny")
    assert mask("a plain words b plain words tiny", own) == ("a ‹secret: our own key› b ‹secret: our own key› tiny", 2)


def test_masking_is_idempotent() -> None:
    text = "\n".join(f"KEY_{n}={key}" for n, (key, _) in enumerate(KEYS.values()))
    once, count = mask(text)
    assert count == len(KEYS)
    assert mask(once) == (once, 0)


def test_texts_with_secrets_are_refused_for_memory() -> None:
    assert refuse("the build needs make") == ""
    assert refuse(f"use {KEYS['anthropic'][0]}") == "it seems to contain a secret (Anthropic key); write it without"
    assert "our own key" in refuse("key plainwords", ("plainwords",))


@pytest.mark.parametrize(
    "path",
    HOLD.split(),
)
def test_secret_file_names_are_recognised(path: str) -> None:
    assert is_secret_file(path)


@pytest.mark.parametrize(
    "path",
    HOLD_NONE.split(),
)
def test_ordinary_file_names_are_not_taken_for_secret(path: str) -> None:
    assert not is_secret_file(path)


def test_child_processes_get_no_key_and_no_steering_variables() -> None:
    kept = {
        "PATH": "/usr/bin:/bin",
        "HOME": "/home/me",
        "LANG": "C.UTF-8",
        "VIRTUAL_ENV": "/venv",
        "PYTHONPATH": "src",
        "SSH_AUTH_SOCK": "/run/agent",
        "GIT_AUTHOR_NAME": "Me",
        "KEYBOARD": "de",
        "TOKENIZERS_PARALLELISM": "false",
        "PWD": "/x",
        "XDG_SESSION_ID": "1",
    }
    dropped = {
        "ANTHROPIC_API_KEY": "x",
        "ANTHROPIC_BASE_URL": "http://x",
        "OPENAI_API_KEY": "x",
        "GITHUB_TOKEN": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_ACCESS_KEY_ID": "x",
        "DB_PASSWORD": "x",
        "MY_SECRETS": "x",
        "npm_config__auth": "x",
        "INNOCENT": "sk-ant-api03-" + LONG,
        "DATABASE_URL": "postgres://a:s3cr3t@h/d",
        "COPY": "prefix our-own-value suffix",
        "CTXE_HOME": "/x",
        "LD_PRELOAD": "/x.so",
        "DYLD_INSERT_LIBRARIES": "/x",
        "BASH_ENV": "/x",
        "BASH_FUNC_ls%%": "() { touch HOSTILE; }",
        "ENV": "/x",
        "GIT_DIR": "/x",
        "GIT_SSH_COMMAND": "/x",
        "GIT_EXTERNAL_DIFF": "/x",
        "PERL5OPT": "-Mx",
        "NODE_OPTIONS": "--require x",
        "RIPGREP_CONFIG_PATH": "/x",
        "LESSOPEN": "|x %s",
        "EDITOR": "vi",
        "PROMPT_COMMAND": "x",
        "PYTHONSTARTUP": "x",
        "IFS": "x",
    }
    clean = clean_environment(kept | dropped, ["our-own-value"])
    guards = {name: value for name, value in clean.items() if name not in kept}
    assert {name: clean.get(name) for name in kept} == kept
    assert guards == {
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": "core.fsmonitor",
        "GIT_CONFIG_VALUE_0": "false",
        "GIT_CONFIG_KEY_1": "safe.bareRepository",
        "GIT_CONFIG_VALUE_1": "explicit",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_PAGER": "cat",
        "GIT_TERMINAL_PROMPT": "0",
        "PAGER": "cat",
        "TERM": "dumb",
    }


def test_the_working_folder_is_never_on_path() -> None:
    assert clean_environment({"PATH": ".:/usr/bin::bin:/bin"})["PATH"] == "/usr/bin:/bin"


@pytest.mark.parametrize(
    "text",
    [
        "def f(token: str) -> str:\n    return token  # the key\n" * 90_000,
        "-----BEGIN PRIVATE KEY-----\n" * 40_000,
        "eyJ" * 300_000,
        "API_KEY=" * 60_000,
        "x" * 5_000_000,
        "://a:" * 200_000,
        "-----END PRIVATE KEY-----\n" * 40_000,
        ("A" * 64 + "\n") * 20_000 + "-----END PRIVATE KEY-----",
        "curl " * 100_000,
        "--token " * 100_000,
        "password = a1b2\n" * 60_000,
        "Cookie: " + "a=b; " * 60_000,
        "Cookie: a=b; " * 60_000,
        "x.password=" * 60_000,
        "mysql -p login " * 60_000,
        "://a:@" * 200_000,
    ],
    ids=[
        "code",
        "keys",
        "jwt heads",
        "names",
        "one line",
        "urls",
        "ends",
        "key lines",
        "curl",
        "options",
        "values",
        "cookie",
        "cookies",
        "props",
        "clients",
        "ats",
    ],
)
def test_masking_is_quick(text: str) -> None:
    started = time.process_time()
    mask(text)
    assert time.process_time() - started < 2.5


def test_every_secret_shape_has_a_test() -> None:
    from ctxe.safety.shapes import SHAPES

    assert {shape.name for shape in SHAPES} - {kind for _, kind in KEYS.values()} == {
        "private key",
        "Slack address",
        "signing secret",
        "storage key",
        "key in a URL",
        "webhook address",
        "signed address",
        "cookie",
        "password",
        "password in a URL",
        "authorization",
    }
    assert re.search("signing secret", mask("whsec_" + LONG)[0])


@pytest.mark.parametrize("before", ["", "a", "ab", "user:", "https://me:"])
def test_the_api_key_is_masked_in_base64_at_any_offset(before: str) -> None:
    key = "own-key-of-no-known-shape-4711"
    sent = b64encode(f"{before}{key} and more".encode()).decode()
    masked, count = mask(f"Header: {sent}", (key,))
    assert count == 1
    left = masked.replace("‹secret: our own key›", "")
    assert len(left) <= len("Header: ") + len(sent) - len(key) * 4 // 3 + 2
    assert mask(f"Header: {b64encode(b'nothing of ours at all, only words').decode()}", (key,))[1] == 0


@pytest.mark.parametrize(("begin", "end", "masked"), [(0, 20, 1), (0, 29, 1), (10, 30, 1), (3, 30, 1), (0, 19, 0)])
def test_a_truncated_api_key_is_masked(begin: int, end: int, masked: int) -> None:
    key = "own-key-of-no-known-shape-4711"
    told = f"run echo {key[begin:end]}"
    assert mask(told, (key,)) == (("run echo ‹secret: our own key›", 1) if masked else (told, 0))


def test_a_certificate_is_not_masked() -> None:
    text = b64encode(b"-----BEGIN CERTIFICATE-----\n" + 4 * LONG.encode()).decode()
    assert mask(f"certificate-authority-data: {text}")[0].count("private key") == 0
