import json

import numpy
import pandas
import requests
import tensorflow

from server import serve

print(
    f"ready: tensorflow {tensorflow.__version__}, pandas {pandas.__version__}, "
    f"numpy {numpy.__version__}, requests {requests.__version__}",
    flush=True,
)


def answer():
    table = pandas.DataFrame({"x": numpy.arange(8.0), "y": numpy.ones(8)})
    product = tensorflow.matmul(table.values, table.values, transpose_a=True)
    return json.dumps({"mean": table["x"].mean(), "product": product.numpy().tolist()})


serve(answer)
