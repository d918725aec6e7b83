import json

import numpy
import requests

from server import serve

print(f"ready: numpy {numpy.__version__}, requests {requests.__version__}", flush=True)


def answer():
    matrix = numpy.arange(16.0).reshape(4, 4) + numpy.eye(4)
    request = requests.Request("GET", "http://localhost/", params={"rank": 4}).prepare()
    return json.dumps({"url": request.url, "determinant": float(numpy.linalg.det(matrix))})


serve(answer)
