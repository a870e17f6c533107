"""An issuer for the tests: oidc-provider-mock, which others wrote, with faults that a test asks for.

`fault` in the working directory names what is wrong with the next tokens, which are signed anew with joserfc, or what breaks
where one is to be had.
"""

import base64
import hashlib
import json
import pathlib
import sys
import time

import flask
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from oidc_provider_mock import app as provider
from oidc_provider_mock._storage import User

FAULT = pathlib.Path("fault")
STRANGER = RSAKey.generate_key(2048, auto_kid=True)


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def fault():
    return FAULT.read_text() if FAULT.exists() else ""


def drip():
    for _ in range(120):
        yield " "
        time.sleep(0.5)


def payload(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def spoiled(token, fault, own):
    claims, key, header = payload(token), own, {"alg": "RS256", "kid": own.kid}
    if fault == "nonce":
        claims["nonce"] = "another"
    elif fault == "no nonce":
        claims.pop("nonce", None)
    elif fault == "aud":
        claims["aud"] = "somebody-else"
    elif fault == "azp":
        claims["aud"] = [claims["aud"] if isinstance(claims["aud"], str) else claims["aud"][0], "somebody-else"]
        claims["azp"] = "somebody-else"
    elif fault == "iss":
        claims["iss"] = "http://127.0.0.1:1"
    elif fault == "exp":
        claims["exp"] = int(time.time()) - 120
    elif fault == "no exp":
        claims.pop("exp", None)
    elif fault == "exp text":
        claims["exp"] = "never"
    elif fault == "key":
        key = STRANGER
    elif fault in ("unknown key", "keys 500"):
        key, header["kid"] = STRANGER, STRANGER.kid
    elif fault == "none":
        return ".".join([encoded(b'{"alg":"none"}'), token.split(".")[1], ""])
    elif fault == "shared":
        key, header = OctKey.import_key("the client's secret is no key"), {"alg": "HS256"}
    return jwt.encode(header, claims, key)


def main():
    port, people = int(sys.argv[1]), json.loads(sys.argv[2])
    users = [User(sub=person.pop("sub"), claims=person) for person in people]
    issuer = provider(require_nonce=True, user_claims=users)
    state = {"keys": 0, "challenges": set()}

    @issuer.before_request
    def keys():
        # The mock's own key has no name: ours has, and changes when a test says so.
        if "key" not in state or (fault() == "rotate" and state["keys"] == 1):
            state["key"] = RSAKey.generate_key(2048, auto_kid=True)
            state["keys"] += 1
        if (fault(), flask.request.path) in [("token 500", "/oauth2/token"), ("keys 500", "/jwks")]:
            flask.abort(500)
        if (fault(), flask.request.path) == ("token drip", "/oauth2/token"):
            return flask.Response(drip(), mimetype="text/plain")
        # The mock takes no notice of PKCE: an issuer that does gives no token for another verifier.
        if challenge := flask.request.args.get("code_challenge"):
            state["challenges"].add(challenge)
        if verifier := flask.request.form.get("code_verifier"):
            if encoded(hashlib.sha256(verifier.encode()).digest()) not in state["challenges"]:
                flask.abort(400)
        return None

    @issuer.after_request
    def spoil(response):
        with open("asked", "a") as asked:
            print(flask.request.method, flask.request.path, dict(flask.request.form), flask.request.authorization, file=asked)
        if flask.request.path == "/jwks":
            response.set_data(json.dumps({"keys": [{"kty": "unheard-of", "kid": "x"}, state["key"].as_dict(private=False)]}))
        elif response.is_json and "id_token" in (response.get_json() or {}):
            body = response.get_json()
            body["id_token"] = spoiled(body["id_token"], fault(), state["key"])
            response.set_data(json.dumps(body))
        return response

    issuer.run(port=port, debug=False)


main()
