"""A certificate authority and a time stamp authority (RFC 3161) of this test alone."""

import subprocess

CONFIGURATION = """\
[req]
distinguished_name = name
prompt = no
[name]
CN = {name}
[root]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
[stamping]
basicConstraints = critical,CA:false
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[tsa]
default_tsa = main
[main]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
certs = {folder}/ca.pem
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


class Authority:
    """Gives time stamps.

    Attributes:
        certificate: what an auditor gets from the authority, in person.
    """

    def __init__(self, folder, name="Test authority"):
        folder.mkdir()
        self.folder = folder
        self.certificate = folder / "ca.pem"
        self.file("conf").write_text(CONFIGURATION.format(folder=folder, name=name))
        self.file("serial").write_text("01\n")
        for key in ("ca.key", "tsa.key"):
            self.run("genpkey", "-algorithm", "EC", "-pkeyopt",
                     "ec_paramgen_curve:P-256", "-out", self.file(key))  # fmt: skip
        self.run("req", "-new", "-x509", "-key", self.file("ca.key"), "-days", "30",
                 "-extensions", "root", "-out", self.certificate)  # fmt: skip
        self.run("req", "-new", "-key", self.file("tsa.key"),
                 "-subj", f"/CN={name} 2", "-out", self.file("tsa.csr"))  # fmt: skip
        self.run("x509", "-req", "-in", self.file("tsa.csr"), "-CA", self.certificate,
                 "-CAkey", self.file("ca.key"), "-set_serial", "2", "-days", "30",
                 "-extfile", self.file("conf"), "-extensions", "stamping",
                 "-out", self.file("tsa.pem"), config=False)  # fmt: skip

    def file(self, name):
        return self.folder / name

    def stamp(self, content):
        """Give the token over these bytes."""
        self.file("data").write_bytes(content)
        self.run("ts", "-query", "-data", self.file("data"), "-sha256", "-cert",
                 "-out", self.file("query"), config=False)  # fmt: skip
        self.run("ts", "-reply", "-queryfile", self.file("query"),
                 "-out", self.file("reply"))  # fmt: skip
        return self.file("reply").read_bytes()

    def run(self, *options, config=True):
        extra = (
            ["-config", self.file("conf")] if config and options[0] != "genpkey" else []
        )
        command = ["openssl", options[0], *options[1:], *extra]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
