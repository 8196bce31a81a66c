from forecast import files_in, hookimpl

api_version = 1  # of the contract; a driver states it in its class


@hookimpl
def forecast_worldviews():
    return files_in(__package__, "worldviews")


@hookimpl
def forecast_scenarios():
    return files_in(__package__, "scenarios")


@hookimpl
def forecast_claims():
    return files_in(__package__, "claims")
