#!/bin/sh
# Makes the certificates of these tests anew, by openssl: an authority, a server that it vouches for, one whose time is
# over, one that nobody vouches for, and an authority that shows its own.
set -eu
cd -- "$(dirname -- "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

key() {
    openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out "$1"
}

# sign NAME FROM TO
sign() {
    key "$1.key"
    openssl req -new -key "$1.key" -subj "/CN=$1" -out "$work/$1.csr"
    openssl ca -batch -notext -config "$work/ca.conf" -startdate "$2" -enddate "$3" -in "$work/$1.csr" -out "$1.pem"
}

cat >"$work/ca.conf" <<END
[ca]
default_ca = authority
[authority]
database = $work/index
new_certs_dir = $work
rand_serial = yes
certificate = $PWD/authority.pem
private_key = $work/authority.key
default_md = sha256
policy = any
x509_extensions = server
[any]
commonName = supplied
[server]
subjectAltName = DNS:localhost,IP:127.0.0.1
basicConstraints = critical,CA:FALSE
[itself]
subjectAltName = DNS:localhost,IP:127.0.0.1
basicConstraints = critical,CA:TRUE
END
: >"$work/index"

key "$work/authority.key"
openssl req -x509 -new -key "$work/authority.key" -subj "/CN=authority of tests" -days 36500 \
    -addext "basicConstraints=critical,CA:TRUE" -out authority.pem
sign server 20200101000000Z 21200101000000Z
sign expired 20200101000000Z 20210101000000Z
key alone.key
openssl req -x509 -new -key alone.key -subj "/CN=localhost" -days 36500 -addext "subjectAltName=DNS:localhost" \
    -addext "basicConstraints=critical,CA:FALSE" -out alone.pem
key itself.key
openssl req -new -key itself.key -subj "/CN=itself" -out "$work/itself.csr"
openssl ca -batch -notext -config "$work/ca.conf" -selfsign -keyfile itself.key -extensions itself \
    -startdate 20200101000000Z -enddate 21200101000000Z -in "$work/itself.csr" -out itself.pem
