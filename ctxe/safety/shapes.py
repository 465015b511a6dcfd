"""The formats of keys by issuer, and patterns of places where people write passwords."""

from __future__ import annotations

import re

from ctxe.domain.pattern import pattern
from ctxe.domain.value import dataclass


@dataclass(frozen=True, slots=True)
class SecretShape:
    """The format of one kind of secret: ``pattern`` matches at a position where one of ``marks`` is.

    The secret is group 1, or everything when there is no group.
    """

    name: str
    marks: tuple[str, ...]
    pattern: re.Pattern[str]


def _shape(name: str, marks: str, regex: str) -> SecretShape:
    return SecretShape(name, tuple(marks.split()), pattern(regex))


# Formats as their issuers document them; where they promise no length, the shortest seen.
SHAPES = (
    _shape(
        "private key",
        "-----BEGIN",
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
        r"(?:(?:(?!-----)[\s\S]){0,20000}-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
        r"|(?:[^\n]{0,20}\n[^\n]{0,20}[A-Za-z0-9+/=]{40,}[^\n]{0,20}){0,400})",
    ),
    _shape(
        "private key in base64",
        "LS0tLS1CRUdJTiBQUklWQVRFIEtFW LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRV LS0tLS1CRUdJTiBFQyBQUklWQVRFIEtFW"
        " LS0tLS1CRUdJTiBPUEVOU1NIIFBSSVZBVEUgS0VZ LS0tLS1CRUdJTiBFTkNSWVBURUQgUFJJVkFURSBLRV",
        r"[A-Za-z0-9+/]{60,}={0,2}(?:\r?\n[ \t]{0,20}[A-Za-z0-9+/]{40,}={0,2}){0,400}",
    ),
    _shape(
        "key in base64",
        "Z2hwX Z2hvX Z2hzX Z2h1X Z2l0aHViX3BhdF c2stYW50L c2stcHJvai eG94Yi Z2xwYXQt",
        r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{36,}={0,2}",
    ),
    _shape("Anthropic key", "sk-ant-", r"sk-ant-[A-Za-z0-9_-]{16,}"),
    _shape("API key", "sk-", r"(?<![A-Za-z0-9_-])sk-(?!ant-)(?=[A-Za-z_-]{0,60}[0-9])[A-Za-z0-9][A-Za-z0-9_-]{18,}"),
    _shape("GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_", r"gh[pousr]_[A-Za-z0-9]{20,}"),
    _shape("GitHub token", "github_pat_", r"github_pat_[A-Za-z0-9_]{22,}"),
    _shape(
        "GitLab token",
        "glpat- gldt- glrt- glcbt- glptt- glft- glsoat- gloas- glimt- glagent-",
        r"gl[a-z]{2,5}-[A-Za-z0-9_-]{20,}",
    ),
    _shape("AWS key id", "AKIA ASIA ABIA", r"(?<![A-Za-z0-9])(?:AKIA|ASIA|ABIA)[A-Z0-9]{16}(?![A-Za-z0-9])"),
    _shape("Google key", "AIza", r"AIza[A-Za-z0-9_-]{30,}"),
    _shape("Google key", "ya29. GOCSPX-", r"(?:ya29\.|GOCSPX-)[A-Za-z0-9_-]{20,}"),
    _shape("Slack token", "xox xapp-", r"(?:xox[abeoprs]-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{20,})"),
    _shape("Slack address", "hooks.slack.com/services/", r"hooks\.slack\.com/services/([A-Za-z0-9/]{20,})"),
    _shape("Stripe key", "sk_live_ rk_live_ sk_test_ rk_test_", r"[rs]k_(?:live|test)_[A-Za-z0-9]{16,}"),
    _shape("signing secret", "whsec_", r"whsec_[A-Za-z0-9+/=]{20,}"),
    _shape("npm token", "npm_", r"(?<![A-Za-z0-9_])npm_[A-Za-z0-9]{30,}"),
    _shape("PyPI token", "pypi-", r"pypi-[A-Za-z0-9_-]{40,}"),
    _shape("Hugging Face token", "hf_", r"(?<![A-Za-z0-9_])hf_[A-Za-z0-9]{30,}"),
    _shape("API key", "gsk_ xai- pplx- r8_ tvly-", r"(?<![A-Za-z0-9_-])[a-z0-9]{2,5}[_-][A-Za-z0-9_-]{30,}"),
    _shape("SendGrid key", "SG.", r"(?<![A-Za-z0-9])SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
    _shape("cloud token", "dop_v1_ doo_v1_", r"do[op]_v1_[a-f0-9]{40,}"),
    _shape("cloud token", "dapi hvs. shpat_", r"(?:dapi[a-f0-9]{32}|hvs\.[A-Za-z0-9_-]{20,}|shpat_[a-f0-9]{32})"),
    _shape("cloud token", "pul- sbp_ sqp_ squ_ sqa_", r"(?<![A-Za-z0-9_-])(?:pul-|sbp_|sq[pua]_)[a-f0-9]{40,}"),
    _shape("cloud token", "HRKU- nfp_ fm2_", r"(?<![A-Za-z0-9_-])(?:HRKU-|nfp_|fm2_)[A-Za-z0-9_+/=-]{36,}"),
    _shape("cloud token", "tskey- dckr_pat_ sb_secret_", r"(?:tskey-[a-z]+-|dckr_pat_|sb_secret_)[A-Za-z0-9_-]{24,}"),
    _shape("service token", "lin_api_ ntn_ figd_ nvapi- pscale_", r"[a-z]+(?:_api_|_tkn_|_pw_|[_-])[A-Za-z0-9_-]{36,}"),
    _shape("service token", "dp.pt. dp.st.", r"dp\.[sp]t\.[A-Za-z0-9_.-]{40,}"),
    _shape("service token", "PMAK- NRAK-", r"(?:PMAK-[a-f0-9]{24}-[a-f0-9]{34}|NRAK-[A-Z0-9]{27})"),
    _shape("service token", "glsa_ sntrys_ sntryu_ phx_ lsv2_", r"[a-z0-9]{3,6}_(?:pt_|sk_)?[A-Za-z0-9_=+/]{32,}"),
    _shape("service token", "rubygems_ bkua_ vercel_blob_rw_", r"[a-z]+_(?:blob_rw_)?[A-Za-z0-9_]{36,}"),
    _shape("service token", "sq0atp- sq0csp-", r"sq0(?:at|cs)p-[A-Za-z0-9_-]{22,}"),
    # a prefix and 32 or more hexadecimal digits
    _shape(
        "service token",
        "shpss_ shpca_ shppa_ dor_v1_ sgp_ shippo_live_ xkeysib- e2b_ fc- sk_",
        r"(?<![A-Za-z0-9_-])(?:[A-Za-z0-9]{1,16}[_-]){1,3}[a-f0-9]{32,}(?:-[A-Za-z0-9]{1,20})?(?![A-Za-z0-9_])",
    ),
    # a prefix that no name begins with, and any characters of base64 for URLs
    _shape(
        "service token",
        "dp.sa. lin_oauth_ glc_ CFPAT- tfp_ duffel_live_ pcsk_ CCIPAT_"
        " CCIPRJ_ wandb_v1_ tgp_v1_ jina_ cfat_ cfut_ hvb. dckr_oat_",
        r"(?<![A-Za-z0-9_-])(?:[A-Za-z0-9]{1,9}[_.-]){1,3}(?=[A-Za-z_=-]{0,28}[0-9])[A-Za-z0-9_=-]{24,}",
    ),
    # a prefix that names begin with too, and 22 or more letters and digits without a break
    _shape(
        "service token",
        "sk_org_ secret_ live_ bb_live_ pnu_ napi_ csk- fw_ apify_api_ rpa_ rnd_ vcp_ pa-",
        r"(?<![A-Za-z0-9_-])(?:[A-Za-z0-9]{1,9}[_-]){1,3}"
        r"(?=[A-Za-z]{0,30}[0-9][A-Za-z]{0,30}[0-9])(?=[0-9]{0,20}[A-Za-z])[A-Za-z0-9]{22,}(?![A-Za-z0-9_])",
    ),
    _shape("service token", "api_org_", r"(?<![A-Za-z0-9_])api_org_[A-Za-z0-9]{30,}(?![A-Za-z0-9_])"),
    _shape("service token", "re_", r"(?<![A-Za-z0-9_])re_[A-Za-z0-9]{6,10}_(?=[A-Za-z]{0,20}[0-9])[A-Za-z0-9]{20,}"),
    _shape("service token", "dt0c01. dt0s01. dt0s02.", r"dt0[cs]0[12]\.[A-Z0-9]{8,24}\.[A-Z0-9]{40,}"),
    _shape("service token", "ops_eyJ", r"ops_eyJ[A-Za-z0-9_=-]{60,}"),
    _shape(
        "service token",
        "A3-",
        r"(?<![A-Za-z0-9-])A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3}",
    ),
    _shape("service token", "sk.eyJ", r"(?<![A-Za-z0-9])sk\.eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{16,}"),
    _shape("service token", "SSWS ", r"SSWS (00[A-Za-z0-9_-]{30,})"),
    _shape("service token", "cmVmdGtu", r"cmVmdGtu[A-Za-z0-9+/]{40,}={0,2}"),
    _shape("service token", "EAA", r"(?<![A-Za-z0-9+/])EAA(?=[A-Za-z]{0,30}[0-9])[A-Za-z0-9_-]{50,}"),
    _shape("service token", "SK", r"(?<![A-Za-z0-9])SK[a-f0-9]{32}(?![A-Za-z0-9])"),
    _shape("cloud token", ".atlasv1.", r"\.atlasv1\.[A-Za-z0-9_=-]{60,}"),
    _shape("cloud token", "v1.0-", r"v1\.0-[a-f0-9]{24}-[a-f0-9]{100,}"),
    _shape("cloud token", "eyJhIjoi", r"(?<![A-Za-z0-9_-])eyJhIjoi[A-Za-z0-9+/=_-]{100,}"),
    _shape("cloud token", "t1.", r"(?<![A-Za-z0-9_.-])t1\.[A-Za-z0-9_-]{20,}={0,2}\.[A-Za-z0-9_-]{86}={0,2}"),
    _shape("cloud token", "7Q~ 8Q~", r"[78]Q~[A-Za-z0-9_.~-]{31,}"),
    _shape("cloud token", "ABSK", r"(?<![A-Za-z0-9])ABSK[A-Za-z0-9+/]{80,}={0,2}"),
    _shape(
        "cloud token",
        "LTAI AKID AKLT AQVN EZAK EZTK BSA cio",
        r"(?<![A-Za-z0-9+/_-])(?:LTAI|AKID|AKLT|AQVN|EZ[AT]K|BSA|cio)"
        r"(?=[A-Za-z]{0,16}[0-9])(?=[0-9]{0,16}[A-Za-z])[A-Za-z0-9]{16,80}(?![A-Za-z0-9+/_-])",
    ),
    _shape("Google key", "AQ. 1//0", r"(?<![A-Za-z0-9_./-])(?:AQ\.|1//0)[A-Za-z0-9_-]{40,}"),
    _shape(
        "bot token",
        "MT Mz ND NT Nj Nz OD OT",
        r"(?<![A-Za-z0-9_./+-])[MNO][A-Za-z0-9]{22,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40}(?![A-Za-z0-9_-])",
    ),
    _shape(
        "private key",
        "Private-Lines:",
        r"Private-Lines: \d{1,3}\r?\n((?:[A-Za-z0-9+/=]{1,64}(?:\r?\n|\Z)){1,99})",
    ),
    _shape("password", '"auth"', r'"auth"\s{0,4}:\s{0,4}"([A-Za-z0-9+/]{16,}={0,2})"'),
    _shape(
        "password",
        "machine default",
        r"(?:machine\s{1,9}\S{1,99}|default)(?:\s{1,9}(?:login|account)\s{1,9}\S{1,99}){0,2}\s{1,9}password\s{1,9}(\S{4,200})",
    ),
    _shape("password", "PGPASSWORD= MYSQL_PWD= SSHPASS= REDISCLI_AUTH=", r"[A-Z_]+=[\"']?([^\s\"'${}]{4,100})"),
    _shape("password", "otpauth://", r"otpauth://\S{0,200}?secret=([A-Za-z2-7]{16,})"),
    _shape(
        "key in a URL",
        "?key= &key= ?token= &token=",
        r"[?&]\w+=(?=[A-Za-z_-]{0,30}[0-9])([A-Za-z0-9_-]{32,})",
    ),
    _shape("key in a URL", "://", r"://(?=[A-Za-z_-]{0,30}[0-9])([A-Za-z0-9_-]{24,200})@"),
    _shape("service token", "ATATT3 ATCTT3 AKCp", r"(?<![A-Za-z0-9+/])A(?:T[AC]TT3|KCp)[A-Za-z0-9_=-]{60,}"),
    _shape("mail key", "key-", r"(?<![A-Za-z0-9_-])key-[a-f0-9]{32}(?![a-f0-9])"),
    _shape("bot token", ":AA", r"(?<=[0-9]{8}):(AA[A-Za-z0-9_-]{33,34})(?![A-Za-z0-9_-])"),
    _shape("webhook address", "/api/webhooks/", r"/api/webhooks/[0-9]{10,25}/([A-Za-z0-9_-]{40,})"),
    _shape("signed address", "sig=", r"(?<=[?&;])sig=([A-Za-z0-9%/+]{40,}(?:%3D|=))"),
    _shape("age key", "AGE-SECRET-KEY-", r"AGE-SECRET-KEY-1[A-Z0-9]{40,}"),
    _shape("JWT", "eyJ", r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"),
    _shape("storage key", "AccountKey= SharedAccessKey=", r"\w+=([A-Za-z0-9+/=]{40,})"),
    _shape("password in a URL", "://", r"://[^/\s:@\"'<>{}$]{0,100}:([^/\s\"'<>{}$]{3,200})@"),
    _shape(
        "authorization",
        "Authorization authorization AUTHORIZATION",
        r"\w{13}[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?i:bearer|basic|token)\s{1,3}([A-Za-z0-9_.~+/=-]{16,})",
    ),
    _shape("authorization", "Bearer bearer", r"[Bb]earer[ ]([A-Za-z0-9_.~+/=-]{20,})"),
    _shape(
        "cookie",
        "Cookie: cookie:",
        r"[Cc]ookie: {1,3}[\"']?(?:[\w.-]{1,60}=[^;\s]{0,200}; ?){0,20}?"
        r"(?![Dd]omain=|[Pp]ath=|[Ee]xpires=)[\w.-]{1,60}=([A-Za-z0-9_.%~+/=-]{24,})",
    ),
    _shape("password", "curl ", r"curl [^\n|;&]{0,300}?(?:-u|--user)[ =][\"']?[^\s:\"'$]{1,60}:([^\s\"'$]{6,100})"),
    _shape(
        "authorization",
        "X-Api-Key X-API-Key X-API-KEY x-api-key PRIVATE-TOKEN Private-Token X-Auth-Token X-Vault-Token",
        r"[\w-]{9,13}[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?=[A-Za-z_.-]{0,60}[0-9])([A-Za-z0-9_.~+/=-]{12,})",
    ),
    _shape(
        "password",
        ";Password= ;password= ;Pwd= ;pwd= ?password= &password= ?pwd= &pwd= ?passwd= &passwd=",
        r"[;?&]\w+=(?=[^;&\s]{0,60}[0-9])([^;&\s\"'<>{}$]{4,200})",
    ),
    _shape(
        "password",
        "password= secret= token=",
        r"(?<=[\w-][.-])\w+=(?=[^\s\"']{0,60}[0-9])(?=[^\s\"']{0,60}[A-Za-z])([^\s\"'(){}<>$,;]{8,200})(?m:$)",
    ),
    _shape("password", "smtppass smtpPass", r"\w{8}=([^\s\"'=(){}<>$]{4,200})"),
    _shape("password", "sshpass ", r"sshpass -p ?[\"']?([^\s\"'$]{4,100})"),
    _shape(
        "password", "login", r"login [^\n|;&]{0,200}?(?:-p|--password)[ =][\"']?(?=\S{0,60}[0-9])([^\s\"'$]{6,100})"
    ),
    _shape(
        "password", "mysql", r"mysql(?:dump|admin|import|show)? [^\n|;&]{0,200}?-p(?=\S{0,60}[0-9])([^\s\"'$]{6,100})"
    ),
    _shape("private key", '"d"', r'"d"\s{0,4}:\s{0,4}"([A-Za-z0-9_-]{40,})"'),
    _shape("webhook address", "/IncomingWebhook/", r"/IncomingWebhook/([a-f0-9]{32}/[a-f0-9-]{36})"),
    _shape("service token", "pat", r"(?<![A-Za-z0-9])pat[A-Za-z0-9]{14}\.[a-f0-9]{64}(?![A-Za-z0-9])"),
    _shape("service token", "ATBB fo1_", r"(?<![A-Za-z0-9])(?:ATBB|fo1_)[A-Za-z0-9_-]{28,60}(?![A-Za-z0-9_-])"),
    _shape("service token", "access_token$", r"access_token\$(?:production|sandbox)\$([a-z0-9]{10,20}\$[a-f0-9]{32})"),
    _shape(
        "password",
        "--pass --token --secret --api --access --auth",
        r"--(?:[a-z]+-)?(?:password|passwd|passphrase|token|secret|key)[ =]"
        r"(?=[a-z_./-]{0,60}[A-Z0-9])(?=\S{0,60}[0-9])([A-Za-z0-9_.~+/!@#%^*-]{8,200})(?![\w=])",
    ),
    _shape(
        "password",
        "word> Word> secret> Secret> token> Token> Key>",
        r"\w+>(?=[^<\s]{0,60}[0-9])([^<>\s${}]{8,200})</\w",
    ),
)
