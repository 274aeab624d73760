"""A model that is not ready twice and then answers, saying how often it was asked."""

import json

from azureml_inference_server_http.api.aml_request import rawhttp
from azureml_inference_server_http.api.aml_response import AMLResponse

asked = 0


def init():
    pass


@rawhttp
def run(request):
    global asked
    asked += 1
    if asked % 3:
        return AMLResponse({"message": "not warm yet"}, 503, {"Retry-After": "0"}, json_str=True)
    return [{"0": json.loads(request.get_data())["inputs"]["input_string"][0] + f" (asked {asked} times)"}]
