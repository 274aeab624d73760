"""A scoring script that chooses its own HTTP reply: what the front door and proxies are known to send."""

import json

from azureml_inference_server_http.api.aml_request import rawhttp
from azureml_inference_server_http.api.aml_response import AMLResponse
from flask import Response

LOGIN_PAGE = "<!DOCTYPE html><html><head><title>Sign in to your account</title></head><body>…</body></html>"


def init():
    pass


@rawhttp
def run(request):
    way = json.loads(request.get_data())["input_data"]["input_string"][0]
    if way == "html":
        return Response(LOGIN_PAGE, mimetype="text/html")
    if way == "nothing":
        return Response(b"", mimetype="application/json")
    if way == "half":
        return Response('[{"0": "The river ro', mimetype="application/json")
    if way == "headers":
        seen = {name.lower(): value for name, value in request.headers.items()}
        return [
            {
                "0": json.dumps(
                    {name: seen.get(name) for name in ("authorization", "azureml-model-deployment")}, indent=1
                )
            }
        ]
    if way == "redirect":
        return AMLResponse("", 307, {"Location": "/elsewhere"})
    status, headers, message = {
        "busy": (429, {"Retry-After": "0"}, "Rate limit is exceeded. Try again in 26 seconds."),
        "model error": (
            424,
            {"ms-azureml-model-error-statuscode": "500", "ms-azureml-model-error-reason": "model_error"},
            "An unexpected error occurred in scoring script. Check the logs for more info.",
        ),
        "not ready": (424, {"ms-azureml-model-error-reason": "model_not_ready"}, "no healthy upstream"),
        "unauthorized": (401, {}, f"{request.headers.get('Authorization')} is not a key of this endpoint"),
        "teapot": (418, {}, "short and stout"),
    }[way]
    return AMLResponse({"message": message}, status, headers, json_str=True)
