"""Certificates for servers on loopback, made by openssl."""
import subprocess

from server import program


def make(folder, name="localhost", file="server"):
    """A self-signed certificate for a name: (certificate, key); it is its own authority."""
    certificate, key = f"{folder}/{file}.pem", f"{folder}/{file}.key"
    alternative = "IP:127.0.0.1,DNS:localhost" if name == "localhost" else f"DNS:{name}"
    subprocess.run([program("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                    f"/CN={name}", "-addext", f"subjectAltName={alternative}", "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key
